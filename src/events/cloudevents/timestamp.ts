const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/**
 * Reads a time of RFC 3339; null where it is none, or names no day or hour that there is.
 * @returns epoch ms; what is finer is cut off. A leap second is the last millisecond before the next minute.
 */
export function readTimestamp(text: string): number | null {
  const match = text.length > 64 ? null : RFC_3339.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second] = match.map(Number) as unknown as [
    number,
    ...number[],
  ] as [number, number, number, number, number, number, number];
  const offsetHours = match[9] === undefined ? 0 : Number(match[9]);
  const offsetMinutes = match[10] === undefined ? 0 : Number(match[10]);
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return null;
  if (hour > 23 || minute > 59 || second > 60 || offsetHours > 23 || offsetMinutes > 59) return null;
  const isLeap = second === 60;
  const fractionMs = isLeap ? 999 : Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const date = new Date(0);
  // `Date.UTC` takes the years 0 to 99 for those of the last century.
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, isLeap ? 59 : second, fractionMs);
  const offsetMs = (offsetHours * 60 + offsetMinutes) * 60_000;
  const atMs = date.getTime() - (match[8] === '-' ? -offsetMs : offsetMs);
  // So that it can be written again.
  const writtenYear = new Date(atMs).getUTCFullYear();
  return writtenYear < 0 || writtenYear > 9999 ? null : atMs;
}

function daysOf(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/**
 * Reads a moment as traces write it: ISO 8601 with `T` or a space, with any number of digits of a second, with or without a zone (UTC where there
 * is none), or a number of seconds, ms, µs or ns since the epoch, told apart by their size.
 * @returns ms since the epoch, with fractions; null where `text` is no moment.
 */
export function parseMoment(text: string): number | null {
  const first = text.charCodeAt(0);
  if (first < DIGIT_0 || first > DIGIT_9) return null;
  if (text.charCodeAt(4) !== DASH) return /^\d{9,19}(?:\.\d+)?$/.test(text) ? momentOf(Number(text)) : null;
  const found = ISO.exec(text);
  if (found === null) return null;
  const [, year, month, day, hour, minute, second = '0', fraction = '0', zone = 'Z'] = found;
  const dayMs = dayOf(Number(year), Number(month), Number(day));
  if (dayMs === null || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  const offsetMs = zoneOf(zone);
  if (offsetMs === null) return null;
  const seconds = (Number(hour) * 60 + Number(minute)) * 60 + Number(second);
  return dayMs + seconds * 1_000 + Number(`0.${fraction}`) * 1_000 - offsetMs;
}

/** A moment given as a number: of seconds, ms, µs or ns since the epoch. Null before 1973 and where it is too large to be one. */
export function momentOf(value: number): number | null {
  if (!(value >= 1e8)) return null;
  if (value < 1e11) return value * 1_000;
  if (value < 1e14) return value;
  if (value < 1e17) return value / 1_000;
  return value < 1e19 ? value / 1_000_000 : null;
}

/** Reads the moment of an access log: `10/Oct/2000:13:55:36 -0700`, to the second. @returns ms since the epoch, or null. */
export function parseLogMoment(text: string): number | null {
  const found = LOG.exec(text);
  if (found === null) return null;
  const [, day, name, year, hour, minute, second, zone] = found;
  const month = MONTHS.indexOf(name!) + 1;
  const dayMs = month === 0 ? null : dayOf(Number(year), month, Number(day));
  const offsetMs = zoneOf(zone!);
  if (dayMs === null || offsetMs === null) return null;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  return dayMs + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1_000 - offsetMs;
}

const [DIGIT_0, DIGIT_9, DASH] = [0x30, 0x39, 0x2d];
const ISO =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?\s?(Z|z|UTC|[+-]\d\d:?\d\d)?$/;
const LOG = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})$/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Null where there is no such day: Date.UTC would take 31 February for 3 March. */
function dayOf(year: number, month: number, day: number): number | null {
  const dayMs = Date.UTC(year, month - 1, day);
  const at = new Date(dayMs);
  return at.getUTCMonth() === month - 1 && at.getUTCDate() === day ? dayMs : null;
}

function zoneOf(zone: string): number | null {
  if (zone === 'Z' || zone === 'z' || zone === 'UTC') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 14 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** The shop's own: its days begin and end there, whatever the clock of the machine says. */
const TIME_ZONE = 'Europe/Berlin';

/** The day of a moment, `2026-01-31`. */
export function dayOf(atMs: number): string {
  return at(atMs).toPlainDate().toString();
}

export function dayBefore(day: string): string {
  return Temporal.PlainDate.from(day).subtract({ days: 1 }).toString();
}

/**
 * When a day begins and ends; the days on which clocks are changed have 23 and 25 hours.
 * @throws RangeError where it is none.
 */
export function boundsOf(day: string): { beginMs: number; endMs: number } {
  if (!/^\d{4}-\d\d-\d\d$/.test(day)) throw notADay(day);
  let date;
  try {
    date = Temporal.PlainDate.from(day, { overflow: 'reject' });
  } catch {
    throw notADay(day);
  }
  const beginMs = date.toZonedDateTime(TIME_ZONE).epochMilliseconds;
  return { beginMs, endMs: date.add({ days: 1 }).toZonedDateTime(TIME_ZONE).epochMilliseconds };
}

/** What a clock on the wall says, `14:05`. */
export function timeOf(atMs: number): string {
  return at(atMs).toPlainTime().toString({ smallestUnit: 'minute' });
}

/** `Saturday 31 January 2026`. */
export function nameOf(day: string): string {
  return new Date(`${day}T12:00:00Z`).toLocaleDateString('en-GB', {
    timeZone: 'UTC',
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  });
}

function at(atMs: number): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(TIME_ZONE);
}

function notADay(day: string): RangeError {
  return new RangeError(`"${day}" is no day; write one as 2026-01-31.`);
}

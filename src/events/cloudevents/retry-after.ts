const SECOND_MS = 1_000;
/** Whoever asks for more is asked again by then. */
const LONGEST_RETRY_AFTER_MS = 86_400_000;
/** RFC 9110, 5.6.7: the one form that is written today, and the two that are still to be read. */
const DATE =
  /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT|[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4})$/;

/**
 * Reads a `Retry-After` field (RFC 9110, 10.2.3): seconds, or a date.
 * @param sentMs when the answer was made, epoch ms: by its own `Date` where it has one, so that clocks may differ.
 * @returns milliseconds to wait, at most a day; null where it is neither.
 */
export function readRetryAfter(value: string, sentMs: number): number | null {
  const text = value.trim();
  if (/^\d{1,12}$/.test(text)) return Math.min(Number(text) * SECOND_MS, LONGEST_RETRY_AFTER_MS);
  const atMs = readHttpDate(text);
  return atMs === null ? null : Math.min(Math.max(0, atMs - sentMs), LONGEST_RETRY_AFTER_MS);
}

/** Epoch ms; null where it is no date. */
export function readHttpDate(value: string): number | null {
  if (!DATE.test(value)) return null;
  const atMs = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`);
  return Number.isNaN(atMs) ? null : atMs;
}

let date = '';
let line = '';
let second = -1;

/** The present time as a `Date` field (RFC 9110, 6.6.1) with its line's end; put together once a second. */
export function dateLine(nowMs: number = Date.now()): string {
  look(nowMs);
  return line;
}

/** The same as the field's value alone. */
export function httpDate(nowMs: number = Date.now()): string {
  look(nowMs);
  return date;
}

function look(nowMs: number): void {
  const now = Math.floor(nowMs / 1_000);
  if (now === second) return;
  second = now;
  date = new Date(now * 1_000).toUTCString();
  line = `Date: ${date}\r\n`;
}

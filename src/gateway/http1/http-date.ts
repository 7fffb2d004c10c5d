let line = '';
let second = -1;

/** The present time as a `Date` field (RFC 9110, 6.6.1) with its line's end; put together once a second. */
export function dateLine(nowMs: number = Date.now()): string {
  const now = Math.floor(nowMs / 1_000);
  if (now !== second) {
    second = now;
    line = `Date: ${new Date(now * 1_000).toUTCString()}\r\n`;
  }
  return line;
}

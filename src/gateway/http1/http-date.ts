let text = '';
let second = -1;

/** The present time as a `Date` field says it (RFC 9110, 5.6.7); put together once a second. */
export function httpDate(nowMs: number = Date.now()): string {
  const now = Math.floor(nowMs / 1_000);
  if (now !== second) {
    second = now;
    text = new Date(now * 1_000).toUTCString();
  }
  return text;
}

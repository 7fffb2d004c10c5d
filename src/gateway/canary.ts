import { randomInt } from 'node:crypto';

/** Clients are told apart no finer than this: a number in a cookie that names nobody. */
export const BUCKETS = 10_000;
/** The same for all apps of a host: which buckets a canary takes is each release's own. */
const CANARY_COOKIE = 'fulcrum_canary';

/** No divisor of {@link BUCKETS} divides it, and it is near the golden section of it: the shares of one release after the other lie apart. */
const STRIDE = 6_181;
const BUCKET = /^\d{1,4}$/;

/**
 * Whether a client with `bucket` is given the canary. The share begins at another bucket for each app and release, so that the same
 * clients are not always first, and grows from there: a larger percent keeps whoever was in.
 *
 * @param bucket 0 to 9,999.
 * @param percent 0 to 100, in steps of a hundredth.
 */
export function isInCanary(bucket: number, app: string, release: number, percent: number): boolean {
  const first = (hashOf(app) + release * STRIDE) % BUCKETS;
  const place = (bucket - first + BUCKETS) % BUCKETS;
  return place < Math.round((percent * BUCKETS) / 100);
}

/** A bucket for a client that has none. */
export function newBucket(): number {
  return randomInt(BUCKETS);
}

/** The bucket in a request's `Cookie` field; null where there is none. Of several the first that is one counts. */
export function bucketOf(cookie: string | null): number | null {
  if (cookie === null || !cookie.includes(CANARY_COOKIE)) return null;
  for (const pair of cookie.split(';')) {
    const mark = pair.indexOf('=');
    if (mark === -1 || pair.slice(0, mark).trim() !== CANARY_COOKIE) continue;
    const value = pair.slice(mark + 1).trim();
    if (BUCKET.test(value)) return Number(value);
  }
  return null;
}

/** The field line that has a client keep its bucket until its browser is closed. */
export function bucketLine(bucket: number, path: string, secure: boolean): string {
  const flags = `Path=${path}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  return `Set-Cookie: ${CANARY_COOKIE}=${bucket}; ${flags}\r\n`;
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

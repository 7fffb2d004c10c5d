import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** Two letters at a time take half as long. */
const LETTERS = ALPHABET.split('');
const PAIRS: readonly string[] = LETTERS.flatMap((a) => LETTERS.map((b) => a + b));
const POOL_BYTES = 4096;

let pool = Buffer.alloc(0);
let used = 0;

/** `length` random characters of a 32-letter alphabet (5 bits each), from a pool so that a request's id costs well under a microsecond. */
export function randomText(length: number): string {
  if (used + length > pool.length) {
    pool = randomBytes(Math.max(POOL_BYTES, length));
    used = 0;
  }
  let text = '';
  let i = 0;
  for (; i + 1 < length; i += 2) text += PAIRS[((pool[used++]! & 31) << 5) | (pool[used++]! & 31)];
  return i < length ? text + ALPHABET[pool[used++]! & 31] : text;
}

/** A request's id: `r_` and 100 random bits. */
export function requestId(): string {
  return `r_${randomText(20)}`;
}

/** An instance's id, short enough to be read out: `i_` and 40 random bits. */
export function instanceId(): string {
  return `i_${randomText(8)}`;
}

/** A secret that may be guessed at for ever: 256 random bits, URL-safe. */
export function secretToken(): string {
  return randomBytes(32).toString('base64url');
}

/** `length` random characters behind 9 of the time: who keeps many such ids in order adds at the end, and not all over. */
export function timedText(nowMs: number, length: number): string {
  let time = '';
  for (let left = Math.floor(nowMs), i = 0; i < 9; i++, left = Math.floor(left / 32)) {
    time = ALPHABET[left % 32]! + time;
  }
  return time + randomText(length);
}

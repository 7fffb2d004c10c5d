import { createHash, randomBytes } from 'node:crypto';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** Two letters at a time take half as long. */
const LETTERS = ALPHABET.split('');
const PAIRS: readonly string[] = LETTERS.flatMap((a) => LETTERS.map((b) => a + b));
const POOL_BYTES = 4096;
/** Characters of the time in front of a text that is in order of it. */
const TIME_LENGTH = 9;

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

/** 32 random bits. */
export function randomWord(): number {
  if (used + 4 > pool.length) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  const word = pool.readUInt32LE(used);
  used += 4;
  return word;
}

/** In a fork: what was drawn ahead is its parent's. */
export function forgetDrawn(): void {
  used = pool.length;
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
  for (let left = Math.floor(nowMs), i = 0; i < TIME_LENGTH; i++, left = Math.floor(left / 32)) {
    time = ALPHABET[left % 32]! + time;
  }
  return time + randomText(length);
}

const KEPT_ID_LENGTH = 17;
const ANSWER_KEY_LENGTH = 26;

/** Id of an asynchronous invocation: whoever may look at the app's work sees it. */
export function keptId(nowMs: number): string {
  return `a_${timedText(nowMs, KEPT_ID_LENGTH)}`;
}

/** What a client gets who asked for one over HTTP, and nobody else: 130 random bits that open its answer. */
export function answerKey(nowMs: number): string {
  return `a_${timedText(nowMs, ANSWER_KEY_LENGTH)}`;
}

/** The id that belongs to an {@link answerKey}. It tells nothing of the key: a list of work, or a copy of the database, opens no answer. Null for what is no key. */
export function idOfKey(key: string): string | null {
  if (!/^a_[0-9a-z]{35}$/.test(key)) return null;
  const digest = createHash('sha256').update(key).digest().subarray(0, KEPT_ID_LENGTH);
  return `${key.slice(0, 'a_'.length + TIME_LENGTH)}${Array.from(digest, (byte) => ALPHABET[byte & 31]).join('')}`;
}

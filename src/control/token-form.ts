import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { randomText } from '../base/ids.ts';

/** What every token begins with, so that scanners for leaked secrets can find one without knowing it. */
const PREFIX = 'ful_';
/** Five bits each: 200 random bits. */
const RANDOM_CHARS = 40;
const CHECKSUM_CHARS = 7;
const FORM = new RegExp(`^${PREFIX}([0-9a-z]{${RANDOM_CHARS}})([0-9a-z]{${CHECKSUM_CHARS}})$`);

/** A new token: `ful_`, 40 random characters, and their CRC-32 in base 36, as 7. The checksum tells a token from a look-alike; it guards nothing. */
export function newToken(): string {
  const random = randomText(RANDOM_CHARS);
  return `${PREFIX}${random}${checksum(random)}`;
}

/** Whether `text` can be a token at all. */
export function hasTokenForm(text: string): boolean {
  const [, random, sum] = FORM.exec(text) ?? [];
  return random !== undefined && checksum(random) === sum;
}

/** What is kept of a token: its SHA-256, hex. With 200 random bits it needs neither salt nor stretching. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function checksum(text: string): string {
  return crc32(text).toString(36).padStart(CHECKSUM_CHARS, '0');
}

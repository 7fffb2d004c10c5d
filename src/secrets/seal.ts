import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A key for AES-256, and what it is called: its id tells nothing about it. */
export interface SealKey {
  readonly id: string;
  readonly bytes: Buffer;
}

/** @param bytes 32 of them. */
export function sealKey(bytes: Buffer): SealKey {
  const id = createHash('sha256').update('fulcrum key id\0').update(bytes).digest('hex').slice(0, 12);
  return { id, bytes };
}

export function newSealKey(): SealKey {
  return sealKey(randomBytes(KEY_BYTES));
}

/** Whose secret it is. Sealed in, so that nobody with the store alone can pass one off as another. */
export interface SecretPlace {
  readonly app: string;
  readonly name: string;
}

/** AES-256-GCM (NIST SP 800-38D) with a random nonce: 12 bytes of nonce, the ciphertext, 16 bytes of tag. */
export function seal(key: SealKey, place: SecretPlace, value: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(placeBytes(place));
  return Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** @returns null where it is not what was sealed with `key` for `place`. */
export function unseal(key: SealKey, place: SecretPlace, sealed: Uint8Array): string | null {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return null;
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(placeBytes(place));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    const start = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
    return Buffer.concat([start, decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}

/** As JSON, for two names with a separator between them could be read in two ways. */
function placeBytes({ app, name }: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify(['fulcrum secret', 1, app, name]));
}

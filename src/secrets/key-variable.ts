import { FulcrumError } from '../base/errors.ts';
import type { KeyHolder, Keys } from './keys.ts';
import { KEY_BYTES, sealKey, type SealKey } from './seal.ts';

const KEY = 'FULCRUM_KEY';
const PREVIOUS_KEY = 'FULCRUM_PREVIOUS_KEY';

/** Keys that whoever starts the server gives it: `FULCRUM_KEY`, and while keys are changed the one before in `FULCRUM_PREVIOUS_KEY`. */
export class KeyVariable implements KeyHolder {
  readonly label = KEY;
  readonly #keys: Keys;

  /** Throws `secret-key-invalid` where one is not 32 bytes in base64. */
  constructor(current: string, previous: string | null) {
    this.#keys = {
      current: keyOf(current, KEY),
      retired: previous === null ? [] : [keyOf(previous, PREVIOUS_KEY)],
    };
  }

  read(): Promise<Keys> {
    return Promise.resolve(this.#keys);
  }

  change(): Promise<never> {
    return Promise.reject(
      new FulcrumError(
        'conflict',
        `The key comes from ${KEY}: start the server with the new one in ${KEY} and the one of now in ${PREVIOUS_KEY}, and it seals every secret anew.`,
      ),
    );
  }

  create(): Promise<never> {
    return this.change();
  }
}

/** 32 bytes from base64 (or base64url). Never shows what it was given. Throws `secret-key-invalid`. */
export function keyOf(text: string, where: string): SealKey {
  const trimmed = text.trim();
  const bytes = Buffer.from(trimmed, 'base64');
  if (bytes.length !== KEY_BYTES || !/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) {
    throw new FulcrumError(
      'secret-key-invalid',
      `${where} is no key: it has to be 32 bytes in base64, which \`openssl rand -base64 32\` makes.`,
    );
  }
  return sealKey(bytes);
}

import { HeldBytes } from './held-bytes.ts';
import { MAX_PAYLOAD_BYTES } from './limits.ts';

/** Takes a payload's pieces. */
export interface PayloadReader {
  /** @param chunk is not kept. @returns false where the payload is larger than it may be. */
  push(chunk: Buffer): boolean;
  /** The whole of it has come. */
  take(): Uint8Array;
}

/** Puts a call's payload together from the pieces of its stream. */
export class PayloadBuffer {
  readonly #held = new HeldBytes();
  #bytes = 0;
  readonly #most: number;

  constructor(mostBytes = MAX_PAYLOAD_BYTES) {
    this.#most = mostBytes;
  }

  get lengthBytes(): number {
    return this.#bytes;
  }

  /** @returns false where the payload is larger than it may be. What was held is let go then. */
  push(chunk: Uint8Array): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#most) {
      this.#held.clear();
      return false;
    }
    this.#held.push(chunk);
    return true;
  }

  take(): Uint8Array {
    return this.#held.take();
  }
}

import { giveBack, memoryFor } from './body-memory.ts';

const FIRST_BYTES = 64 * 1024;
const NO_BYTES = Buffer.alloc(0);

/**
 * Puts a body together from its pieces. What is taken for it grows with what has come, and never runs ahead of it by more than as
 * much again: the length that a client tells is its word only.
 */
export class GatheredBody {
  readonly #expectedBytes: () => number | null;
  #memory: Buffer = NO_BYTES;
  #bytes = 0;

  /** @param expectedBytes what the body is said to have; asked when more than one piece has come. */
  constructor(expectedBytes: () => number | null) {
    this.#expectedBytes = expectedBytes;
  }

  /** @param piece may be used anew when this returns. */
  add(piece: Uint8Array): void {
    const bytes = this.#bytes + piece.length;
    if (bytes > this.#memory.length) this.#grow(bytes);
    this.#memory.set(piece, this.#bytes);
    this.#bytes = bytes;
  }

  /** All of it, to be given back to the memory of bodies. */
  take(): Buffer {
    const whole = this.#memory.subarray(0, this.#bytes);
    this.#memory = NO_BYTES;
    this.#bytes = 0;
    return whole;
  }

  #grow(bytes: number): void {
    const before = this.#memory;
    // Most bodies come in one piece.
    if (this.#bytes === 0) {
      this.#memory = memoryFor(bytes);
      return;
    }
    const doubled = Math.max(2 * this.#bytes, FIRST_BYTES);
    this.#memory = memoryFor(Math.max(bytes, Math.min(doubled, this.#expectedBytes() ?? doubled)));
    this.#memory.set(before.subarray(0, this.#bytes));
    giveBack(before);
  }
}

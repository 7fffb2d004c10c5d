/** Pieces that are put together are held in blocks of at most this. */
const MAX_BLOCK_BYTES = 64 * 1024;
const LEAST_BLOCK_BYTES = 1024;

/**
 * Bytes that wait for somebody, as copies. Whoever sends chooses how small the pieces are: held as they come, each would cost a hundred times
 * the byte that may be in it, so those that come behind others are put together.
 */
export class HeldBytes {
  #blocks: Buffer[] = [];
  /** The first of them that has not been taken. */
  #first = 0;
  /** What of the last one is filled. */
  #filled = 0;
  #lengthBytes = 0;

  /** How much is held. */
  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    const last = this.#blocks.length > this.#first ? this.#blocks.at(-1)! : null;
    const fits = last === null ? 0 : Math.min(last.length - this.#filled, piece.length);
    if (fits > 0) last!.set(piece.subarray(0, fits), this.#filled);
    this.#filled += fits;
    if (fits < piece.length) this.#begin(piece.subarray(fits), last !== null);
    this.#lengthBytes += piece.length;
  }

  /** The next of it, never empty; null: nothing is held. */
  shift(): Buffer | null {
    if (this.#first === this.#blocks.length) return null;
    const block = this.#blocks[this.#first]!;
    const isLast = ++this.#first === this.#blocks.length;
    const taken = isLast ? block.subarray(0, this.#filled) : block;
    if (isLast) {
      this.#blocks = [];
      this.#first = 0;
    }
    this.#lengthBytes -= taken.length;
    return taken;
  }

  /** All of it. */
  take(): Buffer {
    const whole: Buffer[] = [];
    for (let part = this.shift(); part !== null; part = this.shift()) whole.push(part);
    return whole.length === 1 ? whole[0]! : Buffer.concat(whole);
  }

  clear(): void {
    this.#blocks = [];
    this.#first = 0;
    this.#lengthBytes = 0;
  }

  /** What comes first is as a rule all there is: it gets no more room than it takes. */
  #begin(piece: Uint8Array, hasOthers: boolean): void {
    const spare = hasOthers ? Math.min(Math.max(this.#lengthBytes, LEAST_BLOCK_BYTES), MAX_BLOCK_BYTES) : 0;
    const block = Buffer.allocUnsafeSlow(Math.max(piece.length, spare));
    block.set(piece);
    this.#blocks.push(block);
    this.#filled = piece.length;
  }
}

/** Numbers in as few bytes as they need: seven bits to a byte, lowest first, the eighth saying that more follow. */

const MAX_VARINT_BYTES = 8;

/** Appends to a buffer that grows. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacityBytes = 64) {
    this.#bytes = new Uint8Array(Math.max(capacityBytes, MAX_VARINT_BYTES));
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve();
    this.#bytes[this.#length++] = value;
  }

  /** @param value whole, 0 to 2^53 - 1. */
  unsigned(value: number): void {
    this.#reserve();
    // Bit operators work on 32 bits only, so large values take the slow way.
    while (value > 0x7fffffff) {
      this.#bytes[this.#length++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    while (value > 127) {
      this.#bytes[this.#length++] = (value & 127) | 128;
      value >>>= 7;
    }
    this.#bytes[this.#length++] = value;
  }

  /** Small values of either sign in few bytes. @param value whole, below 2^52 in size. */
  signed(value: number): void {
    this.unsigned(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  /** A copy of what was written, exactly as long as that. */
  toBytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(): void {
    if (this.#length + MAX_VARINT_BYTES <= this.#bytes.length) return;
    const larger = new Uint8Array(this.#bytes.length * 2);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** Reads what a {@link ByteWriter} wrote. Throws a RangeError where the bytes end too early or hold no such number. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new RangeError('The bytes end too early.');
    return value;
  }

  unsigned(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) break;
      factor *= 128;
      if (factor > 2 ** 49) throw new RangeError('The number is too long.');
    }
    if (!Number.isSafeInteger(value)) throw new RangeError('The number is too large.');
    return value;
  }

  signed(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

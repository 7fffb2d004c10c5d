/** Texts among packed bytes: each behind its length in characters, as u16. */

/** Of ASCII: what is beyond comes out as something else. @returns where the next one begins. */
export function writeText(bytes: Buffer, at: number, text: string): number {
  bytes[at] = text.length & 0xff;
  bytes[at + 1] = text.length >> 8;
  // Short as they are, a call into native code would take longer than to copy them here.
  for (let i = 0; i < text.length; i++) bytes[at + 2 + i] = text.charCodeAt(i);
  return at + 2 + text.length;
}

/** Of any characters, two bytes each. @returns where the next one begins. */
export function writeWideText(bytes: Buffer, at: number, text: string): number {
  bytes[at] = text.length & 0xff;
  bytes[at + 1] = text.length >> 8;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes[at + 2 + 2 * i] = unit & 0xff;
    bytes[at + 3 + 2 * i] = unit >> 8;
  }
  return at + 2 + 2 * text.length;
}

/** Reads what was written so, one after the other. */
export class PackedTexts {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, from: number) {
    this.#bytes = bytes;
    this.#at = from;
  }

  text(): string {
    return this.#next('latin1', 1);
  }

  wide(): string {
    return this.#next('utf16le', 2);
  }

  #next(encoding: 'latin1' | 'utf16le', width: number): string {
    const begin = this.#at + 2;
    this.#at = begin + width * this.#bytes.readUInt16LE(this.#at);
    return this.#bytes.toString(encoding, begin, this.#at);
  }
}

/** The last lines of an output, at most `maxBytes` of them. */
export class OutputTail {
  readonly #maxBytes: number;
  #lines: string[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (bytes > this.#maxBytes) {
      const end = lastBytes(line, this.#maxBytes - 1);
      this.#lines = [end];
      this.#bytes = Buffer.byteLength(end) + 1;
      return;
    }
    this.#lines.push(line);
    this.#bytes += bytes;
    let first = 0;
    while (this.#bytes > this.#maxBytes) this.#bytes -= Buffer.byteLength(this.#lines[first++]!) + 1;
    if (first > 0) this.#lines = this.#lines.slice(first);
  }

  toString(): string {
    return this.#lines.join('\n');
  }
}

function lastBytes(text: string, bytes: number): string {
  const whole = Buffer.from(text);
  let start = whole.length - bytes;
  // Not within a character: a continuation byte begins with the bits 10.
  while (start < whole.length && (whole[start]! & 0xc0) === 0x80) start++;
  return whole.toString('utf8', start);
}

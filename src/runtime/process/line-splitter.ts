const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

/**
 * Cuts bytes into lines of text. A line longer than `maxBytes` is cut: its beginning is told with a mark, the rest thrown
 * away, so that what is held is never more than one line of that length.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #line: (text: string) => void;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #cutBytes = 0;

  constructor(maxBytes: number, line: (text: string) => void) {
    this.#maxBytes = maxBytes;
    this.#line = line;
  }

  push(chunk: Uint8Array): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end === -1) break;
      this.#hold(chunk.subarray(start, end));
      this.#emit();
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
  }

  /** Tells what stands after the last newline, if anything does. */
  end(): void {
    if (this.#heldBytes > 0 || this.#cutBytes > 0) this.#emit();
  }

  #hold(bytes: Uint8Array): void {
    const room = this.#maxBytes - this.#heldBytes;
    const kept = bytes.length <= room ? bytes : bytes.subarray(0, room);
    this.#cutBytes += bytes.length - kept.length;
    if (kept.length === 0) return;
    // A copy: a view would keep the whole 64 KB that it was read into alive, for each unfinished line.
    this.#held.push(Uint8Array.prototype.slice.call(kept));
    this.#heldBytes += kept.length;
  }

  #emit(): void {
    const bytes = this.#held.length === 1 ? Buffer.from(this.#held[0]!.buffer) : Buffer.concat(this.#held);
    const length = bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length;
    const text = bytes.toString('utf8', 0, length);
    const cut = this.#cutBytes;
    this.#held = [];
    this.#heldBytes = 0;
    this.#cutBytes = 0;
    this.#line(cut === 0 ? text : `${text} … (${cut} bytes cut)`);
  }
}

const LF = 0x0a;
const CR = 0x0d;

/**
 * Where events end in a `text/event-stream` (HTML Living Standard §9.2): behind each blank line. Lines end in LF, CRLF
 * or CR. A blank line's lone CR may have its LF still to come, so that it counts once the next byte is there.
 */
export class EventBoundaries {
  /**
   * line: inside one with text · start: at a line's start · blank: behind a blank line. Each of the latter two has a
   * form where the line ended in a CR whose LF may follow.
   */
  #state: 'line' | 'line-cr' | 'start' | 'blank-cr' | 'blank' = 'blank';

  /** Whether all that came so far ends where an event ends. An empty stream does. */
  get atBoundary(): boolean {
    return this.#state === 'blank';
  }

  /** Reads the whole of `chunk`. Only what follows its last byte of text matters, so that this costs next to nothing. */
  push(chunk: Uint8Array): void {
    let tail = chunk.length;
    while (tail > 0 && (chunk[tail - 1] === LF || chunk[tail - 1] === CR)) tail--;
    if (tail > 0) this.#state = 'line';
    for (let i = tail; i < chunk.length; i++) this.#step(chunk[i]!);
  }

  /**
   * Reads `chunk` up to the first end of an event.
   * @returns the offset behind it (0 where it turns out that the last chunk ended there), or -1 where there is none.
   */
  firstBoundary(chunk: Uint8Array): number {
    for (let i = 0; i < chunk.length; i++) {
      if (this.#state === 'blank-cr' && chunk[i] !== LF) {
        this.#state = 'blank';
        return i;
      }
      this.#step(chunk[i]!);
      if (this.#state === 'blank') return i + 1;
    }
    return -1;
  }

  #step(byte: number): void {
    if (byte === LF) {
      this.#state = this.#state === 'line' || this.#state === 'line-cr' ? 'start' : 'blank';
    } else if (byte === CR) {
      this.#state = this.#state === 'line' ? 'line-cr' : 'blank-cr';
    } else {
      this.#state = 'line';
    }
  }
}

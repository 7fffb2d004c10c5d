/**
 * A pool's instances that have nothing to do, the one that has had nothing for longest first: a list linked both ways, in arrays. The keep-alive
 * is the same for all, so that they fall due in this order.
 */
export class IdleList {
  /** -1: there is none. */
  oldest = -1;
  /** Since when; `Infinity` where there is none. */
  oldestMs = Infinity;
  #newest = -1;
  #before = new Int32Array(64);
  #behind = new Int32Array(64);
  #sinceMs = new Float64Array(64);
  #isIn = new Uint8Array(64);

  /** @param sinceMs no earlier than that of any other. */
  add(slot: number, sinceMs: number): void {
    if (slot >= this.#sinceMs.length) this.#grow(slot);
    this.#sinceMs[slot] = sinceMs;
    this.#before[slot] = this.#newest;
    this.#behind[slot] = -1;
    if (this.#newest < 0) {
      this.oldest = slot;
      this.oldestMs = sinceMs;
    } else {
      this.#behind[this.#newest] = slot;
    }
    this.#newest = slot;
    this.#isIn[slot] = 1;
  }

  /** Since when it has had nothing to do; null: it is not in it. */
  sinceMs(slot: number): number | null {
    return this.#isIn[slot] === 1 ? this.#sinceMs[slot]! : null;
  }

  /** It must be in it. */
  remove(slot: number): void {
    this.#isIn[slot] = 0;
    const before = this.#before[slot]!;
    const behind = this.#behind[slot]!;
    if (behind < 0) this.#newest = before;
    else this.#before[behind] = before;
    if (before >= 0) {
      this.#behind[before] = behind;
      return;
    }
    this.oldest = behind;
    this.oldestMs = behind < 0 ? Infinity : this.#sinceMs[behind]!;
  }

  #grow(slot: number): void {
    const length = Math.max(slot + 1, this.#sinceMs.length * 2);
    const before = new Int32Array(length);
    const behind = new Int32Array(length);
    const sinceMs = new Float64Array(length);
    const isIn = new Uint8Array(length);
    before.set(this.#before);
    behind.set(this.#behind);
    sinceMs.set(this.#sinceMs);
    isIn.set(this.#isIn);
    this.#before = before;
    this.#behind = behind;
    this.#sinceMs = sinceMs;
    this.#isIn = isIn;
  }
}

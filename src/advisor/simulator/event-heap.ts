/**
 * What happens when: a binary heap over plain numbers, which allocates only when it grows. `topMs` is the earliest time, `Infinity` where
 * it is empty. What falls on the same moment comes in an order that is the same each time but has no meaning.
 */
export class EventHeap {
  topMs = Infinity;
  #size = 0;
  #times = new Float64Array(64);
  #what = new Int32Array(64);

  get size(): number {
    return this.#size;
  }

  /** What happens first; means something only where it is not empty. */
  get top(): number {
    return this.#what[0]!;
  }

  /** @param what a whole number of 32 bits. */
  push(timeMs: number, what: number): void {
    if (this.#size === this.#times.length) this.#grow();
    const times = this.#times;
    const whats = this.#what;
    let at = this.#size++;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const aboveMs = times[above]!;
      if (aboveMs <= timeMs) break;
      times[at] = aboveMs;
      whats[at] = whats[above]!;
      at = above;
    }
    times[at] = timeMs;
    whats[at] = what;
    this.topMs = times[0]!;
  }

  /** Takes the first away; there must be one. */
  pop(): number {
    const times = this.#times;
    const whats = this.#what;
    const first = whats[0]!;
    const size = --this.#size;
    const lastMs = times[size]!;
    const last = whats[size]!;
    let at = 0;
    for (let below = 1; below < size; below = 2 * at + 1) {
      let belowMs = times[below]!;
      if (below + 1 < size && times[below + 1]! < belowMs) belowMs = times[++below]!;
      if (belowMs >= lastMs) break;
      times[at] = belowMs;
      whats[at] = whats[below]!;
      at = below;
    }
    times[at] = lastMs;
    whats[at] = last;
    this.topMs = size === 0 ? Infinity : times[0]!;
    return first;
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    const what = new Int32Array(this.#what.length * 2);
    times.set(this.#times);
    what.set(this.#what);
    this.#times = times;
    this.#what = what;
  }
}

const BUCKET_MS = 1_000;

/**
 * A quantity that changes in steps, and its time-weighted average over the last seconds: a ring of one-second buckets, each with the
 * integral of the quantity over its second. A change costs one addition, and time that passed without one is made up for when
 * somebody next looks, in at most as many steps as there are buckets; there is no timer.
 */
export class LoadWindow {
  /** Integral over each second, in units × ms; a second's place is its number modulo the ring's length. */
  readonly #buckets: Float64Array;
  readonly #beganMs: number;
  #level = 0;
  /** Up to when the integrals go. */
  #atMs: number;

  /** @param spanMs the longest time that it can tell an average over, in whole seconds. */
  constructor(spanMs: number, nowMs: number) {
    // One more for the second that has begun: the oldest is then still needed in part.
    this.#buckets = new Float64Array(Math.ceil(spanMs / BUCKET_MS) + 1);
    this.#beganMs = this.#atMs = nowMs;
  }

  /** From `nowMs` (monotonic) on it is `level`. */
  set(level: number, nowMs: number): void {
    this.#pass(nowMs);
    this.#level = level;
  }

  /** Over the last `windowMs`, or since it began where that is less; at its very beginning what it is now. */
  average(windowMs: number, nowMs: number): number {
    this.#pass(nowMs);
    const fromMs = Math.max(nowMs - windowMs, this.#beganMs);
    if (fromMs >= nowMs) return this.#level;
    const first = Math.floor(fromMs / BUCKET_MS);
    const last = Math.floor(nowMs / BUCKET_MS);
    let sum = 0;
    for (let second = first; second <= last; second++) {
      const integral = this.#buckets[second % this.#buckets.length]!;
      sum += second === first ? integral * this.#shareOf(second, fromMs) : integral;
    }
    return sum / (nowMs - fromMs);
  }

  /** How much of a bucket lies behind `fromMs`: within one it counts as spread evenly. */
  #shareOf(second: number, fromMs: number): number {
    const beginMs = Math.max(second * BUCKET_MS, this.#beganMs);
    const endMs = Math.min((second + 1) * BUCKET_MS, this.#atMs);
    return endMs <= beginMs ? 0 : (endMs - fromMs) / (endMs - beginMs);
  }

  #pass(nowMs: number): void {
    const { length } = this.#buckets;
    let second = Math.floor(this.#atMs / BUCKET_MS);
    const last = Math.floor(nowMs / BUCKET_MS);
    if (last - second > length) {
      // A ring's length ago and more: none of it is asked for any more.
      second = last - length;
      this.#atMs = second * BUCKET_MS;
      this.#buckets[second % length] = 0;
    }
    while (second < last) {
      this.#buckets[second % length]! += this.#level * ((second + 1) * BUCKET_MS - this.#atMs);
      second++;
      this.#atMs = second * BUCKET_MS;
      this.#buckets[second % length] = 0;
    }
    if (nowMs <= this.#atMs) return;
    this.#buckets[last % length]! += this.#level * (nowMs - this.#atMs);
    this.#atMs = nowMs;
  }
}

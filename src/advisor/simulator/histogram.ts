/** So many bits of a float's fraction are left out; of 23, 7 are kept. */
const LEFT_OUT = 16;

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/**
 * How many times fell where. A bucket is the first 16 bits of a 32-bit float: 128 to each doubling, so that its middle is within 0.4 % of all
 * that it holds; and which it is costs no logarithm.
 */
export class Histogram {
  readonly #counts = new Float64Array(2 ** 15);

  /** @param ms 0 and above. */
  add(ms: number, times = 1): void {
    float[0] = ms;
    this.#counts[bits[0]! >> LEFT_OUT]! += times;
  }

  merge(other: Histogram): void {
    // Not by entries(): a pair for each of 32,768 buckets takes longer than the replay of a function that is seldom called.
    const { length } = this.#counts;
    for (let bucket = 0; bucket < length; bucket++) this.#counts[bucket]! += other.#counts[bucket]!;
  }

  /** The lower bound of each bucket in use, and how many fell into it. */
  buckets(): [ms: number, count: number][] {
    const found: [number, number][] = [];
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      const count = this.#counts[bucket]!;
      if (count > 0) found.push([lowest(bucket), count]);
    }
    return found;
  }

  /** At `steps` equal steps from 0 to 1, by the nearest rank; of nothing: none. */
  quantiles(steps: number, leastMs: number, mostMs: number): number[] {
    const buckets = this.buckets();
    const total = buckets.reduce((sum, [, count]) => sum + count, 0);
    if (total === 0) return [];
    const found: number[] = [];
    let at = 0;
    let upTo = buckets[0]![1];
    for (let step = 0; step <= steps; step++) {
      const rank = Math.max(1, Math.ceil((step / steps) * total - 1e-9));
      // Counts of a fluid are no whole numbers, and may fall short of the last rank.
      while (upTo < rank && at + 1 < buckets.length) upTo += buckets[++at]![1];
      const [ms] = buckets[at]!;
      const middle = ms * (1 + 2 ** -8);
      found.push(Math.min(Math.max(middle, leastMs), mostMs));
    }
    found[0] = leastMs;
    found[steps] = mostMs;
    return found;
  }
}

function lowest(bucket: number): number {
  bits[0] = bucket << LEFT_OUT;
  return float[0]!;
}

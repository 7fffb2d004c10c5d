import { FulcrumError } from '../base/errors.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** Every quantile of values above 1 µs, up to 10^10 ms, is right to within this share; up to 1 µs it is told as 0. */
export const RELATIVE_ERROR = 0.01;

const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const BUCKETS_PER_E = 1 / Math.log(GAMMA);
const SMALLEST_MS = 0.001;
const LARGEST_MS = 1e10;
const LAST_BUCKET = bucketOf(LARGEST_MS);
const GROWTH_BUCKETS = 32;
/** Names buckets and encoding together: a change of either needs another. */
const FORMAT = 1;

/** The bucket that `valueMs` is counted in. What is no positive number counts as 0, what is too large as the largest. */
export function bucketOf(valueMs: number): number {
  if (!(valueMs > SMALLEST_MS)) return 0;
  return Math.ceil(Math.log(Math.min(valueMs, LARGEST_MS) / SMALLEST_MS) * BUCKETS_PER_E);
}

/**
 * How many values fell where: counts in buckets whose borders grow by a constant factor, after DDSketch (Masson, Rim, Lee,
 * VLDB 2019). The range is fixed, so that there are at most some 1,500 buckets and none are ever collapsed: the error bound always
 * holds, and merging two sketches gives exactly the sketch of all their values.
 */
export class Sketch {
  #counts = new Float64Array(0);
  /** Bucket number of `#counts[0]`. */
  #offset = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** How many there is memory for, 8 bytes each. */
  get buckets(): number {
    return this.#counts.length;
  }

  /** @param valueMs in milliseconds. */
  add(valueMs: number): void {
    this.addToBucket(bucketOf(valueMs), 1);
  }

  /** As {@link add}, where the bucket is known already. */
  addToBucket(bucket: number, times: number): void {
    let at = bucket - this.#offset;
    if (at < 0 || at >= this.#counts.length) {
      this.#cover(bucket, bucket);
      at = bucket - this.#offset;
    }
    this.#counts[at]! += times;
    this.#count += times;
  }

  merge(other: Sketch): void {
    const from = other.#counts;
    let first = 0;
    let last = from.length - 1;
    while (first <= last && from[first] === 0) first++;
    while (last > first && from[last] === 0) last--;
    if (first > last) return;
    this.#cover(other.#offset + first, other.#offset + last);
    const shift = other.#offset - this.#offset;
    for (let at = first; at <= last; at++) this.#counts[at + shift]! += from[at]!;
    this.#count += other.#count;
  }

  /** Forgets every value but keeps its memory for the next ones. */
  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
  }

  /** The value at rank q × (count - 1), rounded down, in ms; null where there is none. @param q 0 to 1. */
  quantile(q: number): number | null {
    if (this.#count === 0) return null;
    // The nearest rank, so that of two values p99 is the larger one.
    const rank = Math.max(0, Math.ceil(Math.min(Math.max(q, 0), 1) * this.#count) - 1);
    let below = 0;
    for (let at = 0; at < this.#counts.length; at++) {
      below += this.#counts[at]!;
      if (below > rank) return middleOf(at + this.#offset);
    }
    return null;
  }

  /** Calls `take` with each bucket that holds something, the lowest first. */
  forEachBucket(take: (bucket: number, count: number) => void): void {
    for (let at = 0; at < this.#counts.length; at++) {
      const count = this.#counts[at]!;
      if (count > 0) take(at + this.#offset, count);
    }
  }

  /** A few bytes per bucket in use: format, then for each its distance from the one before and its count. */
  encode(): Uint8Array {
    const writer = new ByteWriter();
    writer.byte(FORMAT);
    let previous = 0;
    for (let at = 0; at < this.#counts.length; at++) {
      const count = this.#counts[at]!;
      if (count === 0) continue;
      writer.unsigned(at + this.#offset - previous);
      writer.unsigned(count);
      previous = at + this.#offset;
    }
    return writer.toBytes();
  }

  /** Throws `store-failed` where `bytes` are no sketch of this format. */
  static decode(bytes: Uint8Array): Sketch {
    const sketch = new Sketch();
    sketch.mergeEncoded(bytes);
    return sketch;
  }

  /** As {@link merge} of what {@link encode} gave. Throws `store-failed` where `bytes` are no sketch of this format, and has then changed nothing. */
  mergeEncoded(bytes: Uint8Array): void {
    const pairs = pairsOf(bytes);
    if (pairs.length === 0) return;
    this.#cover(pairs[0]!, pairs.at(-2)!);
    for (let i = 0; i < pairs.length; i += 2) this.addToBucket(pairs[i]!, pairs[i + 1]!);
  }

  /** Makes room for buckets `from` to `to`, both included. */
  #cover(from: number, to: number): void {
    const held = this.#counts.length;
    const first = held === 0 ? from : Math.min(from, this.#offset);
    const last = held === 0 ? to : Math.max(to, this.#offset + held - 1);
    if (held > 0 && first === this.#offset && last === this.#offset + held - 1) return;
    // Whole strides, so that values that creep outwards do not copy each time.
    const start = Math.floor(first / GROWTH_BUCKETS) * GROWTH_BUCKETS;
    const end = Math.min((Math.floor(last / GROWTH_BUCKETS) + 1) * GROWTH_BUCKETS, LAST_BUCKET + 1);
    const counts = new Float64Array(end - start);
    counts.set(this.#counts, held === 0 ? 0 : this.#offset - start);
    this.#counts = counts;
    this.#offset = start;
  }
}

/** The lower border of a bucket, in ms. */
export function lowerBorderOf(bucket: number): number {
  return bucket === 0 ? 0 : SMALLEST_MS * GAMMA ** (bucket - 1);
}

/** The value whose relative distance from both borders of a bucket is the same. */
export function middleOf(bucket: number): number {
  return bucket === 0 ? 0 : (SMALLEST_MS * 2 * GAMMA ** bucket) / (GAMMA + 1);
}

/** Bucket and count by turns, the lowest bucket first. */
function pairsOf(bytes: Uint8Array): number[] {
  const pairs: number[] = [];
  try {
    const reader = new ByteReader(bytes);
    if (reader.byte() !== FORMAT) throw new RangeError('The format is unknown.');
    let bucket = 0;
    while (!reader.done) {
      bucket += reader.unsigned();
      if (bucket > LAST_BUCKET) throw new RangeError('There is no such bucket.');
      pairs.push(bucket, reader.unsigned());
    }
  } catch (cause) {
    throw new FulcrumError(
      'store-failed',
      'A stored latency sketch cannot be read; it is damaged or was written by a newer Fulcrum.',
      { cause },
    );
  }
  return pairs;
}

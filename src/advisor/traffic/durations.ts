import type { Random } from '../random.ts';

/** Where durations come from that a trace does not tell one by one: each call draws one, in ms. */
export type Durations = (random: Random) => number;

/** ln X is normal with this mean and standard deviation; X in ms. */
export interface LogNormal {
  readonly mean: number;
  readonly deviation: number;
}

/** The 99th percentile of the standard normal distribution. */
const Z99 = 2.3263478740408408;
/** A duration of 0 has no logarithm; no clock that traces are made with tells less. */
const LEAST_MS = 0.001;

/** The log-normal distribution with this median and 99th percentile. @param p99Ms the median where all take the same time. */
export function logNormalOf(p50Ms: number, p99Ms: number): LogNormal {
  const mean = Math.log(Math.max(p50Ms, LEAST_MS));
  return { mean, deviation: Math.max(0, Math.log(Math.max(p99Ms, LEAST_MS)) - mean) / Z99 };
}

/** The log-normal distribution that these came from most likely; null where there is none. What is no number is left out. */
export function fitLogNormal(durationsMs: Iterable<number>): LogNormal | null {
  let count = 0;
  let mean = 0;
  let squares = 0;
  for (const durationMs of durationsMs) {
    if (Number.isNaN(durationMs)) continue;
    // Welford: sums of squares of large numbers would leave nothing of a small spread.
    const value = Math.log(Math.max(durationMs, LEAST_MS));
    const delta = value - mean;
    mean += delta / ++count;
    squares += delta * (value - mean);
  }
  return count === 0 ? null : { mean, deviation: Math.sqrt(squares / count) };
}

export function fromLogNormal({ mean, deviation }: LogNormal): Durations {
  return (random) => Math.exp(mean + deviation * random.normal());
}

/** A value that so large a share of all lies below, in ms. */
export interface Percentile {
  /** 0 to 1. */
  readonly share: number;
  readonly ms: number;
}

/**
 * Draws between percentiles, by the geometric mean of their neighbours: durations are spread over orders of magnitude, and a straight line
 * from the 99th to the longest would put a fifth too much time into all. Where `averageMs` is known, the last stretch is bent so that the
 * mean of all draws is that, as far as its two ends allow.
 * @param percentiles by share, from 0 to 1, two at least; each no less than the one before.
 */
export function fromPercentiles(percentiles: readonly Percentile[], averageMs: number | null): Durations {
  const shares = percentiles.map(({ share }) => share);
  // One is added and taken away again: many fastest invocations took 0 ms, which has no logarithm.
  const logs = percentiles.map(({ ms }) => Math.log(ms + 1));
  const last = percentiles.length - 2;
  const from = percentiles[last]!;
  const to = percentiles[last + 1]!;
  const bend = averageMs === null ? null : bendOf(percentiles, averageMs);
  return (random) => {
    const share = random.next();
    let at = 0;
    while (at < last && share >= shares[at + 1]!) at++;
    const along = (share - shares[at]!) / (shares[at + 1]! - shares[at]!);
    if (at === last && bend !== null) return from.ms + (to.ms - from.ms) * along ** bend;
    return Math.exp(logs[at]! + (logs[at + 1]! - logs[at]!) * along) - 1;
  };
}

/** The power of the last stretch: from + (to − from) × u^power has the mean from + (to − from) / (power + 1). */
function bendOf(percentiles: readonly Percentile[], averageMs: number): number {
  const last = percentiles.length - 2;
  let before = 0;
  for (let at = 0; at < last; at++) before += stretchMean(percentiles, at);
  const from = percentiles[last]!;
  const to = percentiles[last + 1]!;
  const meanMs = (averageMs - before) / (to.share - from.share);
  if (!(meanMs > from.ms)) return STRAIGHT_TO_THE_END;
  return Math.max(0, (to.ms - from.ms) / (meanMs - from.ms) - 1);
}

/** So high a power that nearly all of the stretch is at its beginning. */
const STRAIGHT_TO_THE_END = 1_000;

/** What a stretch adds to the mean of all. */
function stretchMean(percentiles: readonly Percentile[], at: number): number {
  const from = percentiles[at]!;
  const to = percentiles[at + 1]!;
  const meanMs = to.ms === from.ms ? from.ms : (to.ms - from.ms) / Math.log((to.ms + 1) / (from.ms + 1)) - 1;
  return (to.share - from.share) * meanMs;
}

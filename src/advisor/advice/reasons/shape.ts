import type { Times } from '../../../model/simulation.ts';
import type { AdviceTraffic } from '../request.ts';

const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;
/** Of more arrivals, every so manieth is sorted: percentiles need no more, and sorting millions takes longer than replaying them. */
const MOST_SORTED = 200_000;

/** What traffic is like, in figures. */
export interface Shape {
  readonly arrivals: number;
  readonly spanMs: number;
  readonly perSecond: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  /** Of the durations: how much is computing, 0 to 1. */
  readonly cpuShare: number;
  /** Invocations at work at a time, on average. */
  readonly atWork: number;
  /** Share of the time in which at least one is at work, 0 to 1. */
  readonly busy: number;
  /** Arrivals of the busiest minute. */
  readonly peakPerMinute: number;
  /** Variance of the counts by minute over their mean: 1 where arrivals come by chance, less where they come by the clock, more in bursts. */
  readonly dispersion: number;
}

export function shapeOf(source: AdviceTraffic): Shape {
  const shape = source.kind === 'arrivals' ? shapeOfArrivals(source.traffic) : shapeOfMinutes(source.traffic);
  return source.times === undefined ? shape : timesAsMuch(shape, source.times);
}

/** All of it comes so many times, at about the same time, each independent of the other. */
function timesAsMuch(shape: Shape, times: number): Shape {
  return {
    ...shape,
    arrivals: shape.arrivals * times,
    perSecond: shape.perSecond * times,
    atWork: shape.atWork * times,
    busy: 1 - (1 - shape.busy) ** times,
    peakPerMinute: shape.peakPerMinute * times,
    // Chance stays chance; what is more than that grows with the mean.
    dispersion: shape.dispersion <= 1 ? shape.dispersion : 1 + (shape.dispersion - 1) * times,
  };
}

/** How many came, and how long the longest took: what costs no sorting. */
export function extentOf(source: AdviceTraffic): Pick<Shape, 'arrivals' | 'longestMs'> {
  const { times = 1 } = source;
  if (source.kind === 'minutes') {
    const { invocations, duration } = source.traffic;
    return { arrivals: sum(invocations) * times, longestMs: quantile(duration, 1) };
  }
  const { durationMs } = source.traffic;
  let longestMs = 0;
  for (let i = 0; i < durationMs.length; i++) longestMs = Math.max(longestMs, durationMs[i]!);
  return { arrivals: durationMs.length * times, longestMs };
}

/** How many took longer than `limitMs`. */
export function longerThan(source: AdviceTraffic, limitMs: number): number {
  const { times = 1 } = source;
  if (source.kind === 'arrivals') {
    let count = 0;
    for (const durationMs of source.traffic.durationMs) if (durationMs > limitMs) count++;
    return count * times;
  }
  const { duration, invocations } = source.traffic;
  return shareAbove(duration, limitMs) * sum(invocations) * times;
}

function shapeOfArrivals(traffic: Extract<AdviceTraffic, { kind: 'arrivals' }>['traffic']): Shape {
  const { arrivedAtMs, durationMs, cpuMs, fromMs, toMs } = traffic;
  const spanMs = toMs - fromMs;
  const counts = new Uint32Array(Math.max(1, Math.ceil(spanMs / MINUTE_MS)));
  let [workMs, computedMs, longestMs, busyMs, freeAtMs] = [0, 0, 0, 0, -Infinity];
  for (let i = 0; i < arrivedAtMs.length; i++) {
    const atMs = arrivedAtMs[i]!;
    const tookMs = durationMs[i]!;
    workMs += tookMs;
    computedMs += cpuMs[i]!;
    longestMs = Math.max(longestMs, tookMs);
    const endMs = Math.min(atMs + tookMs, toMs);
    busyMs += Math.max(0, endMs - Math.max(atMs, freeAtMs));
    freeAtMs = Math.max(freeAtMs, endMs);
    const minute = Math.min(counts.length - 1, Math.floor((atMs - fromMs) / MINUTE_MS));
    counts[minute] = counts[minute]! + 1;
  }
  const sorted = sortedSample(durationMs);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return {
    ...ofCounts(counts, spanMs),
    meanMs: arrivedAtMs.length === 0 ? 0 : workMs / arrivedAtMs.length,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    longestMs,
    cpuShare: workMs === 0 ? 0 : Math.min(1, computedMs / workMs),
    atWork: workMs / spanMs,
    busy: Math.min(1, busyMs / spanMs),
  };
}

function shapeOfMinutes(traffic: Extract<AdviceTraffic, { kind: 'minutes' }>['traffic']): Shape {
  const { invocations, duration, cpuShare } = traffic;
  const spanMs = Math.max(1, invocations.length) * MINUTE_MS;
  const meanMs = meanOf(duration);
  let idle = 0;
  // Arrivals by chance within the minute: none is at work for e^(-load) of it (an M/G/∞ queue).
  for (let i = 0; i < invocations.length; i++) idle += Math.exp(-(invocations[i]! * meanMs) / MINUTE_MS);
  const shape = ofCounts(invocations, spanMs);
  return {
    ...shape,
    meanMs,
    p50Ms: quantile(duration, 0.5),
    p99Ms: quantile(duration, 0.99),
    longestMs: quantile(duration, 1),
    cpuShare,
    atWork: (shape.arrivals * meanMs) / spanMs,
    busy: invocations.length === 0 ? 0 : 1 - idle / invocations.length,
  };
}

function ofCounts(
  counts: ArrayLike<number>,
  spanMs: number,
): Pick<Shape, 'arrivals' | 'spanMs' | 'perSecond' | 'peakPerMinute' | 'dispersion'> {
  const arrivals = sum(counts);
  const mean = arrivals / counts.length;
  let [peakPerMinute, squares] = [0, 0];
  for (let i = 0; i < counts.length; i++) {
    peakPerMinute = Math.max(peakPerMinute, counts[i]!);
    squares += (counts[i]! - mean) ** 2;
  }
  return {
    arrivals,
    spanMs,
    perSecond: (arrivals / spanMs) * SECOND_MS,
    peakPerMinute,
    dispersion: mean === 0 ? 0 : squares / counts.length / mean,
  };
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}

function sortedSample(values: Float32Array): Float32Array {
  if (values.length <= MOST_SORTED) return values.toSorted();
  const step = values.length / MOST_SORTED;
  return Float32Array.from({ length: MOST_SORTED }, (_, i) => values[Math.floor(i * step)]!).sort();
}

/** Between the table's values by a straight line. */
function quantile({ quantilesMs }: Times, share: number): number {
  const at = share * (quantilesMs.length - 1);
  const below = quantilesMs[Math.floor(at)] ?? 0;
  const above = quantilesMs[Math.ceil(at)] ?? below;
  return below + (above - below) * (at - Math.floor(at));
}

function meanOf({ quantilesMs }: Times): number {
  if (quantilesMs.length === 1) return quantilesMs[0]!;
  let total = 0;
  for (let i = 1; i < quantilesMs.length; i++) total += (quantilesMs[i - 1]! + quantilesMs[i]!) / 2;
  return total / Math.max(1, quantilesMs.length - 1);
}

function shareAbove({ quantilesMs }: Times, limitMs: number): number {
  if (quantilesMs.length === 1) return quantilesMs[0]! > limitMs ? 1 : 0;
  const steps = quantilesMs.length - 1;
  let share = 0;
  for (let i = 1; i <= steps; i++) {
    const [low, high] = [quantilesMs[i - 1]!, quantilesMs[i]!];
    if (low >= limitMs) share += high > limitMs ? 1 : 0;
    else if (high > limitMs) share += (high - limitMs) / (high - low);
  }
  return share / steps;
}

import type { Traffic } from '../../model/simulation.ts';
import type { Used } from '../../model/used.ts';
import { Replica } from '../simulator/replica.ts';

/** When a unit ran as a service, and on how many processors: a replica computes in one thread. */
export interface SharedStretch {
  readonly fromMs: number;
  readonly toMs: number;
  readonly cpus: number;
}

/**
 * A unit's stretches as a service. Where it was a function as well in the course of one, nothing tells which arrival was served how, and there
 * is none.
 */
export function sharedStretches(days: readonly Used[]): SharedStretch[] {
  const alone = days.filter(({ mode }) => mode === 'function');
  return days
    .filter(({ mode }) => mode === 'service')
    .filter((day) => !alone.some(({ fromMs, toMs }) => fromMs < day.toMs && toMs > day.fromMs))
    .map(({ fromMs, toMs, instances }) => ({
      fromMs,
      toMs,
      cpus: Math.max(1, instances.livedMs / (toMs - fromMs)),
    }));
}

/**
 * Durations as they would have been of each invocation alone. What ran as a service has waited for its replica's thread while others
 * computed, and that is in what was measured; a replay lets it wait once more. So it is taken out here, by the replay's own rule (what computes
 * shares the processors, and rests afterwards): what is left besides computing is what an invocation rested. Replayed on as many processors it takes
 * as long as was measured, but for those that were shorter than the sharing alone would make them.
 *
 * @param traffic arrivals in order; CPU time does not depend on who else computes, and stays.
 */
export function uncontended(traffic: Traffic, stretches: readonly SharedStretch[]): Traffic {
  if (stretches.length === 0) return traffic;
  const durationMs = traffic.durationMs.slice();
  for (const stretch of stretches) takeOut(traffic, stretch, durationMs);
  return { ...traffic, durationMs };
}

function takeOut(traffic: Traffic, { fromMs, toMs, cpus }: SharedStretch, durationMs: Float32Array): void {
  const { arrivedAtMs, cpuMs } = traffic;
  const replica = new Replica(0, 0, 0, cpus);
  const done = (untilMs: number): void => {
    while (replica.nextMs <= untilMs) {
      const atMs = replica.nextMs;
      const i = replica.computed(atMs);
      const tookMs = atMs - (arrivedAtMs[i]! - fromMs);
      durationMs[i] = computedMs(i) + Math.max(0, traffic.durationMs[i]! - tookMs);
    }
  };
  const computedMs = (i: number): number => Math.min(cpuMs[i]!, traffic.durationMs[i]!);
  for (let i = firstFrom(arrivedAtMs, fromMs); i < arrivedAtMs.length && arrivedAtMs[i]! < toMs; i++) {
    const atMs = arrivedAtMs[i]! - fromMs;
    done(atMs);
    if (computedMs(i) > 0) replica.compute(i, computedMs(i), atMs);
  }
  done(Number.MAX_VALUE);
}

/** The first that arrived at `atMs` or later. */
function firstFrom(arrivedAtMs: Float64Array, atMs: number): number {
  let [low, high] = [0, arrivedAtMs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (arrivedAtMs[middle]! < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

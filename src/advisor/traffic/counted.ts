import { FulcrumError } from '../../base/errors.ts';
import type { Traffic } from '../../model/simulation.ts';
import type { Durations } from './durations.ts';
import { Random } from '../random.ts';
import { tooMany, type TrafficOptions } from './traced.ts';

/** So many arrivals in the interval that begins at `fromMs`. */
export interface Count {
  readonly fromMs: number;
  readonly lengthMs: number;
  readonly count: number;
}

/**
 * Arrivals of a function of which a trace tells only how many there were in each interval: placed uniformly within it, in order; each takes
 * what `durations` draws. The same seed and name give the same.
 * @param counts in order, and not overlapping.
 */
export function countedTraffic(
  component: string,
  counts: Iterable<Count>,
  arrivals: number,
  durations: Durations,
  { span, seed, cpuShare }: TrafficOptions,
): Traffic {
  const problem = tooMany(component, arrivals);
  if (problem !== null) throw new FulcrumError('trace-invalid', problem);
  const random = new Random(seed, component);
  const arrivedAtMs = new Float64Array(arrivals);
  const durationMs = new Float32Array(arrivals);
  const cpuMs = new Float32Array(arrivals);
  let at = 0;
  for (const { fromMs, lengthMs, count } of counts) {
    const end = at + count;
    for (let i = at; i < end; i++) {
      arrivedAtMs[i] = fromMs + random.next() * lengthMs;
      const tookMs = durations(random);
      durationMs[i] = tookMs;
      cpuMs[i] = tookMs * cpuShare;
    }
    arrivedAtMs.subarray(at, end).sort();
    at = end;
  }
  return { component, arrivedAtMs, durationMs, cpuMs, ...span };
}

import type { Times } from '../../model/simulation.ts';
import { logNormalOf, type LogNormal } from '../traffic/durations.ts';

/** A median and a 99th percentile, in ms. */
export interface P50P99 {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Of the fork engine: a function whose code comes from the disk, in its sandbox, as docs/ARCHITECTURE.md has it measured. One whose zygote is
 * there starts in a third of that.
 */
export const FORKED: P50P99 = { p50Ms: 10, p99Ms: 27 };
/** A replica in its sandbox on the spawn engine, measured there too. */
export const SPAWNED: P50P99 = { p50Ms: 245, p99Ms: 280 };

/** Log-normal with these two quantiles; where they are one, all take so long. */
export function timesOf({ p50Ms, p99Ms }: P50P99): Times {
  return p50Ms === p99Ms ? { quantilesMs: [p50Ms] } : logNormalTimes(logNormalOf(p50Ms, p99Ms));
}

const STEPS = 200;

/** Quantiles at 0 to 100 % in steps of a half; the two ends are those at 0.25 and 99.75 %. */
function logNormalTimes({ mean, deviation }: LogNormal): Times {
  return {
    quantilesMs: Array.from({ length: STEPS + 1 }, (_, i) => {
      const share = Math.min(Math.max(i / STEPS, 0.0025), 0.9975);
      return Math.exp(mean + deviation * standardQuantile(share));
    }),
  };
}

/** Of the standard normal distribution: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.23; right to 0.00045. */
function standardQuantile(share: number): number {
  if (share > 0.5) return -standardQuantile(1 - share);
  const t = Math.sqrt(-2 * Math.log(share));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return above / below - t;
}

/** As they were measured. @param valuesMs one at least. */
export function measuredTimes(valuesMs: readonly number[]): Times {
  const sorted = Float64Array.from(valuesMs).sort();
  return {
    quantilesMs: Array.from(
      { length: STEPS + 1 },
      (_, i) => sorted[Math.round((i / STEPS) * (sorted.length - 1))]!,
    ),
  };
}

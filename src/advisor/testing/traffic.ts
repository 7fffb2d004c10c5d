import type { FunctionModel, ServiceModel, Traffic } from '../../model/simulation.ts';
import { Random } from '../random.ts';

export const EPOCH_MS = Date.UTC(2026, 10, 2);

/** Poisson arrivals whose durations are distributed exponentially, as queueing theory likes them. */
export function poisson(options: {
  readonly count: number;
  /** Between two arrivals, on average. */
  readonly pauseMs: number;
  readonly durationMs: number;
  readonly cpuShare?: number;
  readonly seed: number;
}): Traffic {
  const { count, pauseMs, durationMs, cpuShare = 0, seed } = options;
  const pauses = new Random(seed, 'pause');
  const durations = new Random(seed, 'duration');
  const arrivedAtMs = new Float64Array(count);
  let atMs = 0;
  for (let i = 0; i < count; i++) arrivedAtMs[i] = EPOCH_MS + (atMs += pauses.exponential(pauseMs));
  const taken = Float32Array.from({ length: count }, () => durations.exponential(durationMs));
  return {
    component: 'orders',
    arrivedAtMs,
    durationMs: taken,
    cpuMs: taken.map((ms) => ms * cpuShare),
    fromMs: EPOCH_MS,
    toMs: EPOCH_MS + Math.ceil(atMs),
  };
}

/** One invocation for each pair of its arrival and duration. */
export function trafficOf(
  pairs: readonly (readonly [atMs: number, durationMs: number])[],
  spanMs: number,
  cpuShare = 0,
): Traffic {
  const durationMs = Float32Array.from(pairs, ([, ms]) => ms);
  return {
    component: 'orders',
    arrivedAtMs: Float64Array.from(pairs, ([atMs]) => EPOCH_MS + atMs),
    durationMs,
    cpuMs: durationMs.map((ms) => ms * cpuShare),
    fromMs: EPOCH_MS,
    toMs: EPOCH_MS + spanMs,
  };
}

/** A function that nothing bounds, with `settings` and `model` of one's own. */
export function functionModel(
  settings: Partial<FunctionModel['settings']> = {},
  model: Partial<Omit<FunctionModel, 'mode' | 'settings'>> = {},
): FunctionModel {
  return {
    mode: 'function',
    settings: {
      concurrency: 1,
      memoryBytes: 128 * 1024 ** 2,
      timeoutMs: 900_000,
      maxQueued: 100_000,
      keepAliveMs: 600_000,
      keepAlive: 'fixed',
      fresh: false,
      maxInstances: 10_000,
      ...settings,
    },
    coldStart: { quantilesMs: [100] },
    provisioned: 0,
    ...model,
  };
}

/** A service of one replica with one processor, with `settings` and `model` of one's own. */
export function serviceModel(
  settings: Partial<ServiceModel['settings']> = {},
  model: Partial<Omit<ServiceModel, 'mode' | 'settings'>> = {},
): ServiceModel {
  return {
    mode: 'service',
    settings: {
      concurrency: 100,
      memoryBytes: 256 * 1024 ** 2,
      timeoutMs: 900_000,
      maxQueued: 100_000,
      minReplicas: 1,
      maxReplicas: 1,
      affinity: null,
      healthIntervalMs: 10_000,
      drainMs: 30_000,
      ...settings,
    },
    start: { quantilesMs: [500] },
    cpus: 1,
    ...model,
  };
}

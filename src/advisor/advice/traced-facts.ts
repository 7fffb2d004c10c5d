import type { UnitFacts } from '../../model/advice-facts.ts';

const MB = 1024 ** 2;
const RUN = { timeoutMs: 900_000, maxQueued: 1_000 };

export interface TracedFactsOptions {
  /** Of an instance, in both modes. */
  readonly memoryBytes: number;
  /** Requests that one instance works on at a time; as a service 100. */
  readonly concurrency: number;
  readonly p99Ms: number | null;
  /** Starts of instances that the trace tells of. */
  readonly startsMs: readonly number[];
}

/** A function's memory where a trace does not tell it. */
export const TRACED_MEMORY_BYTES = 128 * MB;

/** What is known of a component that there is a trace of and nothing else: settings as a config has them by default, long enough for anything to end. */
export function tracedFacts(
  name: string,
  { memoryBytes, concurrency, p99Ms, startsMs }: TracedFactsOptions,
): UnitFacts {
  return {
    unit: name,
    members: [name],
    kind: 'module',
    modeSetting: 'function',
    mode: 'function',
    modeSinceMs: 0,
    function: {
      ...RUN,
      memoryBytes,
      concurrency,
      keepAliveMs: 1_000,
      keepAlive: 'fixed',
      fresh: false,
      maxInstances: 1_000,
    },
    service: {
      ...RUN,
      memoryBytes,
      concurrency: 100,
      minReplicas: 1,
      maxReplicas: 1_000,
      affinity: null,
      healthIntervalMs: 10_000,
      drainMs: 30_000,
    },
    objective: { p99Ms },
    triggers: { routes: 0, events: [], schedules: [], callers: [] },
    sockets: null,
    storage: [],
    findings: null,
    deploys: { count: 0, days: 0 },
    calls: [],
    startsMs: { function: startsMs, service: [] },
  };
}

import { LONGEST_FUNCTION_TIMEOUT_MS, type FunctionSettings, type ServiceSettings } from '../model/app.ts';
import type { RunningValues } from './schema.ts';

export { DEFAULT_ADVISOR } from '../model/advisor-settings.ts';

const MB = 1024 ** 2;
const SHORTEST_DEFAULT_DRAIN_MS = 30_000;

/** What holds where the author says nothing. */
const FUNCTION_DEFAULTS: FunctionSettings = {
  concurrency: 1,
  memoryBytes: 128 * MB,
  timeoutMs: 30_000,
  maxQueued: 1_000,
  keepAliveMs: 1_000,
  keepAlive: 'fixed',
  fresh: false,
  maxInstances: 100,
};

const SERVICE_DEFAULTS: ServiceSettings = {
  concurrency: 100,
  memoryBytes: 256 * MB,
  timeoutMs: 30_000,
  maxQueued: 1_000,
  minReplicas: 1,
  maxReplicas: 1,
  affinity: null,
  healthIntervalMs: 10_000,
  drainMs: SHORTEST_DEFAULT_DRAIN_MS,
};

/** A zygote of a small function holds 2 to 3 MB; without it the next start loads the module again. */
export const DEFAULT_ZYGOTE_KEEP_ALIVE_MS = 600_000;

/** Browsers keep files and ask each time whether they have changed: never stale, and unchanged files cost a 304. */
export const DEFAULT_CACHE_CONTROL = 'public, max-age=0, must-revalidate';

/**
 * A value that the author gives holds in both modes. A service's timeout may be longer than a function's longest; should it
 * become a function, it gets that.
 */
export function functionSettings(values: RunningValues): FunctionSettings {
  const fresh = values.fresh ?? FUNCTION_DEFAULTS.fresh;
  return {
    concurrency: fresh ? 1 : (values.concurrency ?? FUNCTION_DEFAULTS.concurrency),
    memoryBytes: values.memory ?? FUNCTION_DEFAULTS.memoryBytes,
    timeoutMs: Math.min(values.timeout ?? FUNCTION_DEFAULTS.timeoutMs, LONGEST_FUNCTION_TIMEOUT_MS),
    maxQueued: values.queue ?? FUNCTION_DEFAULTS.maxQueued,
    keepAliveMs: typeof values.keepAlive === 'number' ? values.keepAlive : FUNCTION_DEFAULTS.keepAliveMs,
    keepAlive: values.keepAlive === 'adaptive' ? 'adaptive' : 'fixed',
    fresh,
    maxInstances: values.max ?? FUNCTION_DEFAULTS.maxInstances,
  };
}

/** See {@link functionSettings}. */
export function serviceSettings(values: RunningValues): ServiceSettings {
  const timeoutMs = values.timeout ?? SERVICE_DEFAULTS.timeoutMs;
  return {
    concurrency: values.concurrency ?? SERVICE_DEFAULTS.concurrency,
    memoryBytes: values.memory ?? SERVICE_DEFAULTS.memoryBytes,
    timeoutMs,
    maxQueued: values.queue ?? SERVICE_DEFAULTS.maxQueued,
    minReplicas: values.replicas?.min ?? SERVICE_DEFAULTS.minReplicas,
    maxReplicas: values.replicas?.max ?? SERVICE_DEFAULTS.maxReplicas,
    affinity: values.affinity ?? SERVICE_DEFAULTS.affinity,
    healthIntervalMs: values.healthInterval ?? SERVICE_DEFAULTS.healthIntervalMs,
    drainMs: values.drain ?? Math.max(SERVICE_DEFAULTS.drainMs, timeoutMs),
  };
}

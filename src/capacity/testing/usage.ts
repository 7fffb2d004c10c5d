// Components and usage as the room is given them.
import { DEFAULT_ASYNC } from '../../model/work-settings.ts';
import type { Limits, ModuleSpec, RunnableSpec } from '../../model/app.ts';
import { NO_LIMITS } from '../../model/app.ts';
import type { UsageHour } from '../../model/usage-store.ts';
import type { ComponentInput, Machine } from '../report.ts';

const MB = 1024 ** 2;

export function spec(
  o: {
    name?: string;
    kind?: RunnableSpec['kind'];
    function?: Partial<RunnableSpec['function']>;
    service?: Partial<RunnableSpec['service']>;
    limits?: Partial<Limits>;
  } = {},
): RunnableSpec {
  const module: ModuleSpec = {
    name: o.name ?? 'catalog',
    kind: 'module',
    entry: '/app/catalog.ts',
    routes: [],
    cors: null,
    calls: null,
    modeSetting: 'function',
    function: {
      concurrency: 1,
      memoryBytes: 128 * MB,
      timeoutMs: 30_000,
      maxQueued: 1_000,
      keepAliveMs: 1_000,
      keepAlive: 'fixed',
      fresh: false,
      maxInstances: 10,
      ...o.function,
    },
    service: {
      concurrency: 100,
      memoryBytes: 256 * MB,
      timeoutMs: 30_000,
      maxQueued: 1_000,
      minReplicas: 1,
      maxReplicas: 1,
      affinity: null,
      healthIntervalMs: 10_000,
      drainMs: 30_000,
      ...o.service,
    },
    env: {},
    storage: [],
    isolation: 'best-effort',
    network: 'full',
    limits: { ...NO_LIMITS, ...o.limits },
    weight: 1,
    objective: null,
    subscription: null,
    async: DEFAULT_ASYNC,
    schedules: [],
    zygoteKeepAliveMs: 0,
  };
  if (o.kind !== 'command') return module;
  const { entry: _, schedules: __, zygoteKeepAliveMs: ___, ...common } = module;
  return { ...common, kind: 'command', command: 'serve', cwd: '/app', healthPath: null };
}

/** An hour of even traffic: `rps` a second, each of 50 ms and 20 ms of CPU. */
export function hour(hourMs: number, rps: number, o: Partial<UsageHour> = {}): UsageHour {
  const count = rps * 3_600;
  return {
    hourMs,
    count,
    refused: 0,
    startMs: 0,
    durationMs: count * 50,
    cpuMs: count * 20,
    minuteCount: rps * 60,
    minuteWorkMs: rps * 60 * 50,
    minuteCpuMs: rps * 60 * 20,
    ...o,
  };
}

export function component(o: Partial<ComponentInput> = {}): ComponentInput {
  const { spec: its = spec(), hours = [], present = null } = o;
  const limits = its.kind === 'group' ? NO_LIMITS : its.limits;
  return {
    mode: 'function',
    now: { rps: 20, cpuCores: 0.4, instances: 3, memoryBytes: 384 * MB },
    peakConcurrency: null,
    components: [{ name: its.name, limits, hours, present }],
    ...o,
    ...{ spec: its, hours, present },
  };
}

export function machine(o: Partial<Machine> = {}): Machine {
  return { memoryBytes: 4_096 * MB, memoryPromisedBytes: 384 * MB, cpus: 2, cpuUsed: 0.5, ...o };
}

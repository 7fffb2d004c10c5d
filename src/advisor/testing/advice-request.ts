import type { UnitFacts } from '../../model/advice-facts.ts';
import type { ModeOutlook } from '../../model/advice.ts';
import type { Mode } from '../../model/app.ts';
import type { ModeFinding } from '../../model/mode-check.ts';
import type { PriceBook } from '../../model/price-book.ts';
import type { Times } from '../../model/simulation.ts';
import type { AdviceRequest, AdviceTraffic, PerMode } from '../advice/request.ts';

export const MB = 1024 ** 2;
/** A moment that begins a minute. */
const FROM_MS = Date.UTC(2026, 10, 2);

export interface SomeArrivals {
  readonly spanMs?: number;
  readonly durationMs?: number;
  /** One for each, instead of the same for all. */
  readonly durationsMs?: readonly number[];
  readonly cpuShare?: number;
}

/** @param atMs from the beginning. */
export function arrivals(atMs: readonly number[], some: SomeArrivals = {}): AdviceTraffic {
  const { spanMs = 3_600_000, durationMs = 100, durationsMs, cpuShare = 1 } = some;
  const durations = Float32Array.from(durationsMs ?? atMs.map(() => durationMs));
  return {
    kind: 'arrivals',
    traffic: {
      component: 'catalog',
      arrivedAtMs: Float64Array.from(atMs, (ms) => FROM_MS + ms),
      durationMs: durations,
      cpuMs: durations.map((ms) => ms * cpuShare),
      fromMs: FROM_MS,
      toMs: FROM_MS + spanMs,
    },
  };
}

/** So many in a day, at equal distances. */
export function daily(count: number, some: SomeArrivals = {}): AdviceTraffic {
  const spanMs = 86_400_000;
  return arrivals(
    Array.from({ length: count }, (_, i) => (i * spanMs) / count),
    { spanMs, ...some },
  );
}

export function minutes(invocations: readonly number[], duration: Times, cpuShare = 1): AdviceTraffic {
  return {
    kind: 'minutes',
    traffic: { component: 'catalog', fromMs: FROM_MS, invocations, duration, cpuShare },
  };
}

export function factsOf(some: Partial<UnitFacts> = {}): UnitFacts {
  const run = { memoryBytes: 128 * MB, timeoutMs: 30_000, maxQueued: 1_000 };
  return {
    unit: 'catalog',
    members: ['catalog'],
    kind: 'module',
    modeSetting: 'auto',
    mode: 'function',
    modeSinceMs: FROM_MS,
    function: {
      ...run,
      concurrency: 1,
      keepAliveMs: 1_000,
      keepAlive: 'fixed',
      fresh: false,
      maxInstances: 100,
    },
    service: {
      ...run,
      memoryBytes: 256 * MB,
      concurrency: 100,
      minReplicas: 1,
      maxReplicas: 1,
      affinity: null,
      healthIntervalMs: 10_000,
      drainMs: 30_000,
    },
    objective: { p99Ms: null },
    triggers: { routes: 1, events: [], schedules: [], callers: [] },
    sockets: false,
    storage: [],
    findings: { function: [], service: [] },
    deploys: { count: 0, days: 30 },
    calls: [],
    startsMs: { function: [], service: [] },
    ...some,
  };
}

export function requestOf(some: Partial<AdviceRequest> = {}): AdviceRequest {
  return {
    facts: factsOf(),
    source: 'usage',
    exists: true,
    traffic: daily(1_000),
    measured: [],
    gapsMs: 0,
    settings: {
      books: ['faas', 'caas'],
      machine: null,
      objective: { p99Ms: null },
      operations: { hoursPerMonth: { function: 0, service: 0 }, perHour: 0 },
      auto: { acts: true, dwellMs: 21_600_000, windowMs: 3_600_000, leastSaving: 0.1, switchCost: 0.01 },
    },
    books: BOOKS,
    seed: 1,
    detail: 'whole',
    samples: 200,
    freeTier: false,
    without: [],
    doubt: null,
    ...some,
  };
}

export function finding(rule: string, some: Partial<ModeFinding> = {}): ModeFinding {
  return {
    rule,
    member: null,
    severity: 'warning',
    file: 'catalog.ts',
    line: 12,
    column: 3,
    lineText: 'carts.set(id, cart);',
    message: 'carts keeps what later requests read.',
    advice: 'Keep it in a database.',
    ...some,
  };
}

function outlookOf(mode: Mode, some: Partial<ModeOutlook> = {}): ModeOutlook {
  const band = (mid: number) => ({ low: mid * 0.9, mid, high: mid * 1.1 });
  return {
    mode,
    perMonth: band(mode === 'function' ? 1 : 25),
    book: mode === 'function' ? 'faas' : 'caas',
    lines: [],
    operations: 0,
    p50Ms: band(100),
    p99Ms: band(120),
    coldStarts: 0,
    executed: 1_000,
    refused: 0,
    instances: { mean: mode === 'function' ? 0.1 : 1, peak: 1 },
    meetsObjective: 1,
    ...some,
  };
}

export function outlooksOf(
  some: { readonly [mode in Mode]?: Partial<ModeOutlook> } = {},
): PerMode<ModeOutlook> {
  return { function: outlookOf('function', some.function), service: outlookOf('service', some.service) };
}

/** What reasons look at in a book: what it sells, up to which size, and its fees. */
const BOOKS = [
  {
    id: 'faas',
    title: 'Functions',
    currency: 'USD',
    function: { mostMb: 10_240 },
    service: null,
    machine: null,
    fees: [],
  },
  {
    id: 'caas',
    title: 'Containers',
    currency: 'USD',
    function: null,
    service: {},
    machine: null,
    fees: [{ id: 'load-balancer', title: 'Load balancer', of: 'service' }],
  },
] as unknown as readonly PriceBook[];

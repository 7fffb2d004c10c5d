import { advise } from '../src/advisor/advice/advise.ts';
import { Arrivals } from '../src/advisor/advice/arrivals.ts';
import { Prices } from '../src/advisor/advice/prices.ts';
import type { AdviceRequest, PerMode } from '../src/advisor/advice/request.ts';
import { replayWindow } from '../src/advisor/advice/window-replay.ts';
import { modelsOfFacts } from '../src/advisor/own/models-of-facts.ts';
import { DEFAULT_ADVISOR, functionSettings, serviceSettings } from '../src/config/defaults.ts';
import { openBook } from '../src/meter/price-book.ts';
import type { UnitFacts } from '../src/model/advice-facts.ts';
import type { Advice } from '../src/model/advice.ts';
import { minutesOf, type AzureFunction } from './advisor-trace.ts';

const HOUR_MS = 3_600_000;
const BOOKS = ['aws-lambda-x86', 'aws-fargate-x86'].map(openBook);
/** Like with like: compute, as functions have an address of their own there that costs nothing. */
const WITHOUT = ['load-balancer', 'gateway'];
const MOST_CHARGED = 1_000_000;

/** Minutes of the trace: from the first on, and how many. */
export interface Window {
  readonly first: number;
  readonly minutes: number;
}

export function requestFor(
  { name, traffic, memoryBytes }: AzureFunction,
  { first, minutes }: Window,
  times: number,
  p99Ms: number | null,
): AdviceRequest {
  return {
    facts: factsOf(name, memoryBytes, p99Ms),
    source: 'trace',
    exists: false,
    traffic: { kind: 'minutes', traffic: minutesOf(traffic, first, minutes), times },
    measured: [],
    gapsMs: 0,
    settings: DEFAULT_ADVISOR,
    books: BOOKS,
    seed: 1,
    detail: 'verdict',
    samples: 200,
    freeTier: false,
    without: WITHOUT,
    doubt: null,
  };
}

export function adviceFor(one: AzureFunction, window: Window, times: number, p99Ms: number | null): Advice {
  return advise(requestFor(one, window, times, p99Ms));
}

/** What a window comes to in each mode, in money of its own length, and its p99. */
export interface Charged {
  readonly cost: PerMode<number>;
}

export function chargedFor(one: AzureFunction, window: Window, times: number): Charged {
  // Placed by another seed than what was learned.
  const request = { ...requestFor(one, window, times, null), seed: 1_000_003 };
  const models = modelsOfFacts(request.facts);
  const prices = new Prices(request, models);
  const arrivals = new Arrivals(request.traffic);
  const replays = replayWindow({
    arrivals,
    blocks: { spans: [arrivals.span], blockMs: window.minutes * 60_000 },
    models,
    times: 1,
    seed: request.seed,
    placements: 1,
    most: MOST_CHARGED,
    onBlock: () => undefined,
  });
  return {
    cost: {
      function: prices.costOf(replays.function.used, BOOKS[0]!),
      service: prices.costOf(replays.service.used, BOOKS[1]!),
    },
  };
}

/** Of a month, for a stretch of so many minutes. */
export function ofWindow(perMonth: number, { minutes }: Window): number {
  return (perMonth * minutes) / 60 / 730;
}

function factsOf(name: string, memoryBytes: number, p99Ms: number | null): UnitFacts {
  const unbounded = { memoryBytes, timeoutMs: 24 * HOUR_MS, maxQueued: 10_000_000 };
  return {
    unit: name,
    members: [name],
    kind: 'module',
    modeSetting: 'function',
    mode: 'function',
    modeSinceMs: 0,
    function: { ...functionSettings({}), ...unbounded, maxInstances: 1_000_000 },
    service: { ...serviceSettings({}), ...unbounded, maxReplicas: 100_000 },
    objective: { p99Ms },
    triggers: { routes: 1, events: [], schedules: [], callers: [] },
    sockets: null,
    storage: [],
    findings: null,
    deploys: { count: 0, days: 0 },
    calls: [],
    startsMs: { function: [], service: [] },
  };
}

import type { UnitFacts } from '../../model/advice-facts.ts';
import type { AdvisorSettings } from '../../model/advisor-settings.ts';
import { LONGEST_FUNCTION_TIMEOUT_MS } from '../../model/app.ts';
import type { ModeFinding } from '../../model/mode-check.ts';
import type { PriceBook } from '../../model/price-book.ts';
import { unpaidFees } from '../advice/front-door.ts';
import type { AdviceRequest, Doubt } from '../advice/request.ts';
import type { Answers, Need } from './answers.ts';
import { describedTraffic } from './described-traffic.ts';

/** One who says 10 a second means 5 to 20 (a 5th to 95th percentile of 0.44 to 2.3 times), and durations somewhat better. */
const DOUBT: Doubt = { rate: 0.5, duration: 0.3 };
const SAMPLES = 200;
const LEAST_TIMEOUT_MS = 30_000;
const MOST_QUEUED = 1_000;
const KEEP_ALIVE_MS = 1_000;
/** What a new account has at most at a time at AWS. */
const MOST_INSTANCES = 1_000;
/** As many as may be said to be measured: see modelsOfFacts. */
const STARTS = 21;
/** Slowest to quickest start of a program around what was said. */
const START_SPREAD = 1.5;

export interface DescribedOptions {
  readonly settings: AdvisorSettings;
  readonly books: readonly PriceBook[];
  readonly seed: number;
  readonly freeTier: boolean;
  readonly without: readonly string[];
}

/** Advice on what was described, asked for as on what was measured: the same replay, obstacles and reasons, with the doubt that answers have. */
export function describedRequest(answers: Answers, options: DescribedOptions): AdviceRequest {
  const { settings, books, seed, freeTier } = options;
  const { operations } = answers;
  const facts = factsOf(answers, settings);
  return {
    facts,
    source: 'described',
    exists: false,
    traffic: describedTraffic(answers, seed),
    measured: [],
    gapsMs: 0,
    settings:
      operations === null
        ? settings
        : {
            ...settings,
            operations: {
              hoursPerMonth: { function: operations.function, service: operations.service },
              perHour: operations.perHour,
            },
          },
    books,
    seed,
    detail: 'whole',
    samples: SAMPLES,
    freeTier,
    without: [...new Set([...options.without, ...unpaidFees(facts, books)])],
    doubt: DOUBT,
  };
}

function factsOf(answers: Answers, settings: AdvisorSettings): UnitFacts {
  const { name, trigger, duration, memoryBytes, needs, programStartMs } = answers;
  const timeoutMs = Math.max(LEAST_TIMEOUT_MS, 2 * duration.p99Ms);
  const run = { memoryBytes, maxQueued: MOST_QUEUED };
  return {
    unit: name,
    members: [name],
    kind: programStartMs === null ? 'module' : 'command',
    modeSetting: 'auto',
    mode: 'function',
    modeSinceMs: 0,
    function: {
      ...run,
      timeoutMs: Math.min(timeoutMs, LONGEST_FUNCTION_TIMEOUT_MS),
      concurrency: 1,
      keepAliveMs: KEEP_ALIVE_MS,
      keepAlive: 'fixed',
      fresh: false,
      maxInstances: MOST_INSTANCES,
    },
    service: {
      ...run,
      timeoutMs,
      concurrency: 100,
      minReplicas: 1,
      maxReplicas: MOST_INSTANCES,
      affinity: null,
      healthIntervalMs: 10_000,
      drainMs: LEAST_TIMEOUT_MS,
    },
    objective: answers.p99Ms === null ? settings.objective : { p99Ms: answers.p99Ms },
    triggers: {
      routes: trigger === 'http' ? 1 : 0,
      events: trigger === 'event' ? ['as described'] : [],
      schedules: trigger === 'schedule' ? [answers.rateText] : [],
      callers: trigger === 'call' ? ['others'] : [],
    },
    sockets: needs.includes('sockets'),
    storage: [],
    findings: { function: needs.flatMap(needed), service: [] },
    deploys: { count: 0, days: 0 },
    calls: [],
    startsMs: programStartMs === null ? { function: [], service: [] } : startsOf(programStartMs),
  };
}

/** What was said, as the switch check would find it in the code; connections are told by {@link UnitFacts.sockets}. */
function needed(need: Need): ModeFinding[] {
  if (need === 'sockets') return [];
  const about = {
    member: null,
    severity: 'warning',
    file: null,
    line: 0,
    column: 0,
    lineText: '',
  } as const;
  return need === 'memory'
    ? [
        {
          ...about,
          rule: 'memory-state',
          message: 'As described.',
          advice: 'Keep it in a database or a store.',
        },
      ]
    : [{ ...about, rule: 'background', message: 'As described.', advice: 'Give it a schedule.' }];
}

function startsOf(startMs: number): UnitFacts['startsMs'] {
  const starts = Array.from(
    { length: STARTS },
    (_, i) => startMs * START_SPREAD ** ((2 * i) / (STARTS - 1) - 1),
  );
  return { function: starts, service: starts };
}

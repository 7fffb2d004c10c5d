import * as z from 'zod';
import type { AdvisorSettings, UnitFacts } from '../model/advice-facts.ts';
import type { UsageLine } from '../model/usage-export.ts';
import { modeFinding } from './component-schemas.ts';

/** What `GET /v1/apps/{app}/usage` takes, and the lines that it answers with; see `schemas.ts` for the others. */
const epochMs = z.int().min(0).describe('Milliseconds since 1970');
const preciseMs = z.number().min(0).describe('Milliseconds since 1970, with fractions');
const amount = z.number().min(0);
const count = z.int().min(0);
const list = <S extends z.ZodType>(item: S) => z.array(item).readonly();
const mode = z.enum(['function', 'service']);
const base64 = z.string().describe('Base64');

const LATEST_MS = 8.64e15;
const moment = z.coerce.number().int().min(0).max(LATEST_MS);

export const usageInput = z.strictObject({
  from: moment.optional().describe('Milliseconds since 1970: minutes that begin from then on; 30 days ago'),
  to: moment.optional().describe('…and before this; now'),
  component: z.string().min(1).max(200).optional().describe('Only its minutes and arrivals'),
  facts: z
    .enum(['true', 'false'])
    .default('false')
    .describe('Whether the head tells what is known of each component beside its usage'),
});

const run = {
  concurrency: amount,
  memoryBytes: amount,
  timeoutMs: amount,
  maxQueued: amount,
};

const objective = z
  .strictObject({ p99Ms: amount.nullable().describe('Null: nothing is asked') })
  .meta({ id: 'Objective' });

const perMode = <S extends z.ZodType>(of: S) => z.strictObject({ function: of, service: of });

const unitFacts = z
  .strictObject({
    unit: z.string(),
    members: list(z.string()),
    kind: z.enum(['module', 'command', 'group']),
    modeSetting: z.enum(['function', 'service', 'auto']),
    mode,
    modeSinceMs: amount,
    function: z.strictObject({
      ...run,
      keepAliveMs: amount,
      keepAlive: z.enum(['fixed', 'adaptive']),
      fresh: z.boolean(),
      maxInstances: amount,
    }),
    service: z.strictObject({
      ...run,
      minReplicas: amount,
      maxReplicas: amount,
      affinity: z
        .union([
          z.strictObject({ kind: z.enum(['cookie', 'ip']) }),
          z.strictObject({ kind: z.literal('header'), name: z.string() }),
        ])
        .nullable(),
      healthIntervalMs: amount,
      drainMs: amount,
    }),
    objective,
    triggers: z.strictObject({
      routes: count,
      events: list(z.string()),
      schedules: list(z.string()),
      callers: list(z.string()),
    }),
    sockets: z.boolean().nullable().describe('Null: no instance has told yet'),
    storage: list(z.string()),
    findings: perMode(list(modeFinding)).nullable().describe('By the mode in which it would break'),
    deploys: z.strictObject({ count, days: amount }),
    calls: list(
      z.strictObject({
        with: z.string(),
        direction: z.enum(['out', 'in']),
        perSecond: amount,
        p50Ms: amount,
        joined: amount,
        mode,
      }),
    ),
    startsMs: perMode(list(amount)).describe('As measured here; empty: none yet'),
  })
  .meta({ id: 'UnitFacts' }) satisfies z.ZodType<UnitFacts>;

const advisorSettings = z
  .strictObject({
    books: list(z.string()),
    machine: z.strictObject({ perMonth: amount, currency: z.string(), vcpu: amount, gb: amount }).nullable(),
    objective,
    operations: z.strictObject({ hoursPerMonth: perMode(amount), perHour: amount }),
    auto: z.strictObject({
      acts: z.boolean(),
      dwellMs: amount,
      windowMs: amount,
      leastSaving: z.number(),
      switchCost: amount,
    }),
  })
  .meta({ id: 'AdvisorSettings' }) satisfies z.ZodType<AdvisorSettings>;

const head = z.strictObject({
  kind: z.literal('usage'),
  format: z.literal(1),
  app: z.string(),
  environment: z.string(),
  fromMs: epochMs,
  toMs: epochMs,
  facts: list(unitFacts).describe('None where nobody asked for them'),
  settings: advisorSettings.nullable(),
});

const minute = z
  .strictObject({
    kind: z.literal('minute'),
    component: z.string(),
    revision: z.string(),
    mode,
    outcome: z.enum(['ok', 'handler-error', 'timeout', 'crashed', 'cancelled', 'refused', 'bad-response']),
    minuteMs: epochMs,
    spanMs: amount.describe('60000; more where minutes had to be put together'),
    count,
    cold: count,
    internal: count.describe('Calls by other components'),
    waitedMs: amount,
    startMs: amount,
    durationMs: amount,
    billedMs: amount,
    wholeMs: amount.describe('Start and duration of each, rounded up to whole ms'),
    wholeByteMs: amount,
    hundredsMs: amount.nullable().describe('Each rounded up to whole 100 ms; null: not counted then'),
    cpuMs: amount,
    bytesIn: amount,
    bytesOut: amount,
    latency: base64.describe('Sketch of waiting and duration, base64'),
    duration: base64.describe('Sketch of durations, base64'),
  })
  .describe('What was counted of a component, mode, outcome and revision in a minute; there may be several');

const instances = z
  .strictObject({
    kind: z.literal('instances'),
    unit: z.string().describe('A component, or a group'),
    revision: z.string(),
    mode,
    minuteMs: epochMs,
    spanMs: amount,
    started: count,
    livedMs: amount,
    heldByteMs: amount,
    watchedMs: amount,
    usedByteMs: amount,
    cpuMs: amount,
  })
  .describe('What instances lived in a minute');

const joinedCalls = z
  .strictObject({
    kind: z.literal('joined-calls'),
    caller: z.string(),
    callee: z.string(),
    hourMs: epochMs,
    count,
    failed: count,
    durationMs: amount,
  })
  .describe('Calls of an hour that stayed within a process');

const arrivals = z.strictObject({
  kind: z.literal('arrivals'),
  component: z.string(),
  mode,
  firstMs: preciseMs,
  lastMs: preciseMs,
  count,
  bytes: base64,
});

const gap = z
  .strictObject({ kind: z.literal('gap'), fromMs: preciseMs, toMs: preciseMs })
  .describe('Between the two moments usage may be missing');

const end = z
  .strictObject({ kind: z.literal('end'), lines: count })
  .describe('The last; so many came before it. Without it the answer was cut short');

export const usageLine = z
  .discriminatedUnion('kind', [head, minute, instances, joinedCalls, arrivals, gap, end])
  .meta({ id: 'UsageLine' }) satisfies z.ZodType<UsageLine>;

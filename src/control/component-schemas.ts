import * as z from 'zod';
import type { ModeStep } from '../model/mode-history.ts';
import type { Limits } from '../model/app.ts';
import type { ComponentStatus, GroupStatus, LimitsStatus } from '../model/status.ts';
import { backlogStatus, scheduleStatus } from './event-schemas.ts';

/** What the admin API answers of an app's components and groups; see `schemas.ts` for the others. */
const count = z.int().min(0);
const list = <S extends z.ZodType>(item: S) => z.array(item).readonly();
export const mode = z.enum(['function', 'service']);
export const modeSetting = z.enum(['function', 'service', 'auto']);

export const limits = z
  .strictObject({
    rps: z.number().nullable().describe('Invocations per second'),
    burst: count.nullable().describe('How many of them at once; null where `rps` is'),
    perClient: z
      .strictObject({ rps: z.number(), burst: count })
      .nullable()
      .describe('The same of one client’s HTTP requests'),
    concurrency: count
      .nullable()
      .describe('Invocations that wait or are worked on at a time; 0: it is switched off'),
  })
  .meta({ id: 'Limits' }) satisfies z.ZodType<Limits>;

const limitsStatus = z
  .strictObject({
    configured: limits.describe('What the config says'),
    chosen: limits.nullable().describe('What was set by hand, and holds instead; null: nothing'),
    refused: count.describe('Invocations that limits refused within the last minute'),
  })
  .meta({ id: 'LimitsStatus' }) satisfies z.ZodType<LimitsStatus>;

export const limitsAnswer = limitsStatus;

const instanceStatus = z
  .strictObject({
    id: z.string(),
    pid: z.int(),
    mode,
    revision: z.string(),
    state: z.enum(['starting', 'ready', 'draining', 'ending']),
    inFlight: count,
    served: count,
    ageMs: z.number(),
    memoryBytes: z.number().nullable(),
    cpuMs: z.number().nullable(),
    reason: z.string(),
    endReason: z.string().nullable(),
    inspectUrl: z.string().nullable(),
    ejectedForMs: z
      .number()
      .nullable()
      .describe('How long a replica that kept failing is given no work; null where it is given some'),
  })
  .meta({ id: 'Instance' });

const decision = z
  .strictObject({
    atMs: z.number(),
    instance: z.string(),
    kind: z.enum(['start', 'end']),
    reason: z.string(),
  })
  .meta({ id: 'Decision' });

const trafficSummary = z
  .strictObject({
    count,
    failed: count,
    cold: count,
    p50Ms: z.number().nullable(),
    p99Ms: z.number().nullable(),
    billedMs: z.number(),
    cpuMs: z.number(),
  })
  .meta({ id: 'TrafficSummary' });

const engine = z.enum(['fork', 'spawn', 'command']);

const sandboxStatus = z.strictObject({
  complete: z.boolean(),
  uid: z.int().nullable(),
  layers: list(
    z.strictObject({
      name: z.string(),
      state: z.enum(['on', 'missing', 'unasked']),
      reason: z.string().nullable(),
    }),
  ),
});

export const componentAnswer = z
  .strictObject({
    name: z.string(),
    kind: z.enum(['module', 'command', 'static']),
    group: z
      .string()
      .nullable()
      .describe(
        'The group that it is in; null: it runs by itself. Mode, engine, sandbox, instances, `queued`, `lastError` and `decisions` are then its group’s, told of each member and once of the group',
      ),
    modeSetting: modeSetting.nullable(),
    mode: mode.nullable(),
    revision: z.string().nullable(),
    engine: engine.nullable(),
    engineReason: z.string().nullable(),
    sandbox: sandboxStatus.nullable(),
    routes: list(z.string()),
    events: list(z.string()),
    schedules: list(scheduleStatus),
    backlog: backlogStatus.nullable(),
    instances: list(instanceStatus),
    queued: count,
    lastMinute: trafficSummary.nullable(),
    lastError: z.string().nullable(),
    decisions: list(decision),
    limits: limitsStatus.nullable(),
  })
  .meta({ id: 'Component' }) satisfies z.ZodType<ComponentStatus>;

export const componentsAnswer = list(componentAnswer);

const group = z
  .strictObject({
    name: z.string().describe('No component has it'),
    members: list(z.string()).describe('Components, each with an entry of its own among them'),
    modeSetting,
    mode,
    revision: z.string().describe('Another one where any member’s is'),
    engine,
    engineReason: z.string().nullable(),
    sandbox: sandboxStatus.nullable(),
    instances: list(instanceStatus).describe('Each holds all members'),
    queued: count,
    lastError: z.string().nullable(),
    decisions: list(decision),
  })
  .meta({ id: 'Group' }) satisfies z.ZodType<GroupStatus>;

export const groupsAnswer = list(group);

export const modeAnswer = z
  .strictObject({
    component: z.string().describe('Or a group'),
    from: mode,
    to: mode,
    tookMs: z.number(),
  })
  .meta({ id: 'ModeChange' });

export const modeHistoryAnswer = list(
  z
    .strictObject({
      id: z.string(),
      atMs: z.int(),
      unit: z.string().describe('A component or a group'),
      kind: z.enum(['switched', 'undone', 'would-switch', 'failed', 'blocked', 'kept']),
      by: z.string().describe('`auto`, or who asked for it'),
      from: mode,
      to: mode,
      reason: z.string(),
      figures: z.record(z.string(), z.number()).describe('What it was decided by'),
    })
    .meta({ id: 'ModeStep' }) satisfies z.ZodType<ModeStep>,
);

export const modeFinding = z
  .strictObject({
    rule: z.string(),
    member: z
      .string()
      .nullable()
      .describe('Of a group: the member whose code it is; null: the component itself'),
    severity: z.enum(['warning', 'note']),
    file: z.string().nullable(),
    line: z.int().min(0),
    column: z.int().min(0),
    lineText: z.string(),
    message: z.string(),
    advice: z.string(),
  })
  .meta({ id: 'ModeFinding' });

export const modeCheckAnswer = z
  .strictObject({
    component: z.string().describe('Or a group'),
    from: mode,
    to: mode,
    findings: list(modeFinding),
  })
  .meta({ id: 'ModeCheck' });

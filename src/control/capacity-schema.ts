import * as z from 'zod';
import type { CapacityReport, ComponentCapacity, Reach } from '../model/capacity.ts';

/** The answer of `GET /v1/apps/{app}/capacity`; see `schemas.ts` for the others. */
const epochMs = z.int().min(0).describe('Milliseconds since 1970');
const amount = z.number().min(0);
const list = <S extends z.ZodType>(item: S) => z.array(item).readonly();
const mode = z.enum(['function', 'service']);

const reach = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('expected'),
      earlyMs: epochMs,
      expectedMs: epochMs,
      lateMs: epochMs.nullable().describe('Null: beyond a year'),
    }),
    z.strictObject({ kind: z.literal('possible'), earlyMs: epochMs }),
    z.strictObject({
      kind: z.enum(['reached', 'none', 'falling', 'fits', 'unknown']),
    }),
  ])
  .meta({
    id: 'Reach',
    description:
      'When a limit is reached: `reached` within a day; `expected`, with 80 % of it between early and late; `possible`, not by the trend, but by a busy hour; `none` within a year; `falling`; `fits`, for it cannot be; `unknown`, with fewer than three days of usage',
  }) satisfies z.ZodType<Reach>;

const peak = z.strictObject({ value: amount, atMs: epochMs }).meta({ id: 'CapacityPeak' });

const machine = z
  .strictObject({
    now: amount.describe('Of all apps: memory promised, in bytes, or cores used'),
    others: amount.describe('What of it is other apps’'),
    peak: peak.nullable(),
    limit: amount,
    reached: reach,
  })
  .meta({ id: 'MachineCapacity' });

const limitName = z.enum(['instances', 'replicas', 'rps', 'concurrency']);
const boundName = z.enum(['instances', 'replicas', 'core-each', 'memory', 'cpu', 'rps', 'concurrency']);

const room = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('measured'),
      mostRps: amount,
      moreRps: amount,
      boundedBy: boundName,
      bounds: list(z.strictObject({ name: boundName, rps: amount })).describe('The smallest first'),
    }),
    z.strictObject({ kind: z.literal('off') }),
    z.strictObject({ kind: z.literal('unmeasured') }),
  ])
  .meta({ id: 'Room' });

const component = z
  .strictObject({
    name: z.string(),
    members: list(z.string())
      .nullable()
      .describe('Of a group, whose members’ requests are counted together; null: it is a component'),
    mode,
    now: z.strictObject({ rps: amount, instances: z.int().min(0), memoryBytes: amount }),
    peak: z
      .strictObject({
        rps: peak,
        concurrency: peak,
        concurrencyFrom: z.enum(['arrivals', 'mean']),
        cpuCores: peak,
        instances: z.strictObject({ function: amount, service: amount }),
        memoryBytes: peak,
      })
      .nullable(),
    meanMs: amount.nullable(),
    cpuMs: amount.nullable(),
    room,
    limits: list(
      z.strictObject({
        name: limitName,
        component: z.string().describe('Whose it is: of a group, a member’s, or its own'),
        limit: amount,
        peak: amount,
        reached: reach,
      }),
    ),
    first: limitName.nullable().describe('The limit that is reached first; null where none is within a year'),
  })
  .meta({ id: 'ComponentCapacity' }) satisfies z.ZodType<ComponentCapacity>;

export const capacityAnswer = z
  .strictObject({
    app: z.string(),
    environment: z.string(),
    atMs: epochMs,
    usage: z.strictObject({
      fromMs: epochMs.nullable(),
      toMs: epochMs,
      days: amount,
      outageHours: z.int().min(0),
      weekends: z.boolean(),
    }),
    machine: z.strictObject({ memory: machine, cpu: machine }),
    components: list(component),
  })
  .meta({ id: 'Capacity' }) satisfies z.ZodType<CapacityReport>;

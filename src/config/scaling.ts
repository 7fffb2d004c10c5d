import { z } from 'zod';
import { burstFor, type Affinity, type ClientRate, type Limits } from '../model/app.ts';
import { count, duration } from './quantities.ts';
import { number, refine, text, type Reading } from './reading.ts';

const MOST_REPLICAS = 100;
const EXPECTED_AFFINITY = "'cookie', 'ip' or a header such as 'header:X-User'";

/** How many replicas a service has: always so many, or between two bounds as the work wants. */
export interface ReplicaRange {
  readonly min: number;
  readonly max: number;
}

/** `2`, or `{ min: 1, max: 8 }`. */
export const replicasSchema = z.union([
  count(1, MOST_REPLICAS).transform((all): ReplicaRange => ({ min: all, max: all })),
  refine(
    z.strictObject(
      { min: count(1, MOST_REPLICAS).optional(), max: count(1, MOST_REPLICAS) },
      { error: 'an object such as { min: 1, max: 8 }' },
    ),
    'max at least as large as min',
    ({ min = 1, max }): Reading<ReplicaRange> =>
      max < min ? { problem: `max is ${max} and min ${min}` } : { value: { min, max } },
  ),
]);

/** A duration, or that the function's own habits decide. */
export const keepAliveSchema = z.union([
  z.literal('adaptive', { error: "'adaptive'" }),
  duration('0s', '1h', '1s'),
]);

export const affinitySchema = text(EXPECTED_AFFINITY, (written): Reading<Affinity> => {
  if (written === 'cookie' || written === 'ip') return { value: { kind: written } };
  const header = /^header:(.*)$/.exec(written)?.[1];
  if (header === undefined) return { problem: 'not a way to tell clients apart' };
  // A token of https://www.rfc-editor.org/rfc/rfc9110#name-tokens
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/.test(header)) return { problem: "not a header's name" };
  return { value: { kind: 'header', name: header.toLowerCase() } };
});

/** Requests per second; fewer than one means one in several seconds. */
const rate = number('a number from 0.01 to 1,000,000', (value): Reading<number> => {
  if (!Number.isFinite(value) || value < 0.01) return { problem: 'less than 0.01' };
  return value > 1_000_000 ? { problem: 'more than 1,000,000' } : { value };
});

const perClientSchema = z.union([
  rate.transform((rps): ClientRate => ({ rps, burst: burstFor(rps) })),
  z
    .strictObject(
      { rps: rate, burst: count(1, 1_000_000).optional() },
      { error: 'an object such as { rps: 5, burst: 10 }' },
    )
    .transform(({ rps, burst }): ClientRate => ({ rps, burst: burst ?? burstFor(rps) })),
]);

export const limitsSchema = refine(
  z.strictObject(
    {
      rps: rate.optional(),
      burst: count(1, 1_000_000).optional(),
      perClient: perClientSchema.optional(),
      concurrency: count(0, 1_000_000).optional(),
    },
    { error: 'an object such as { rps: 100, burst: 200, perClient: 5, concurrency: 50 }' },
  ),
  'rps beside burst: that many requests per second, of which burst may come at once',
  ({ rps, burst, perClient, concurrency }): Reading<Limits> => {
    if (burst !== undefined && rps === undefined) return { problem: 'a burst without rps' };
    return {
      value: {
        rps: rps ?? null,
        burst: rps === undefined ? null : (burst ?? burstFor(rps)),
        perClient: perClient ?? null,
        concurrency: concurrency ?? null,
      },
    };
  },
);

import * as z from 'zod';
import type { CallEdge, CallGraph } from '../model/calls.ts';

const count = z.int().min(0);

const callEdge = z
  .strictObject({
    from: z.string(),
    to: z.string(),
    function: z
      .string()
      .nullable()
      .describe('Null of requests through service bindings; `*` of all that is not told apart'),
    count,
    perSecond: z.number(),
    failed: count.describe('Of `count`; a caller that has gone is no failure'),
    inProcess: count.describe('Of `count`: those that stayed in the process of a group'),
    p50Ms: z.number().describe('Of all of them, as the caller has waited'),
    p95Ms: z.number(),
    p99Ms: z.number(),
  })
  .meta({ id: 'CallEdge' }) satisfies z.ZodType<CallEdge>;

export const callsAnswer = z
  .strictObject({
    windowMs: z
      .number()
      .describe('What the numbers are of, up to now: it begins with a minute, or when the server did'),
    edges: z.array(callEdge).readonly().describe('The most frequent first'),
  })
  .meta({ id: 'CallGraph' }) satisfies z.ZodType<CallGraph>;

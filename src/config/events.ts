import { z } from 'zod';
import {
  DEFAULT_ASYNC,
  DEFAULT_EVENTS,
  DEFAULT_RETRY,
  type AsyncSettings,
  type CloudEventMode,
  type EventSettings,
  type RetrySettings,
  type Subscription,
} from '../model/work-settings.ts';
import { EXPECTED_TOKEN, tokenProblem } from './event-token.ts';
import { eventPath, eventType, variableName } from './fields.ts';
import { quote } from './issues.ts';
import { count, duration } from './quantities.ts';
import { type Reading, refine, text } from './reading.ts';
import { exactHost, exactPath } from './routes.ts';

const MOST_BATCHED = 1_000;
/** As Cloudflare's queues have it: https://developers.cloudflare.com/queues/configuration/batching-retries/ */
const DEFAULT_BATCH = 10;

const EXPECTED_RETRY = "an object such as { attempts: 5, first: '1s', longest: '15m' }";

export const retrySchema = refine(
  z.strictObject(
    {
      attempts: count(1, 100).optional(),
      first: duration('1ms', '1h', '1s').optional(),
      longest: duration('1ms', '24h', '15m').optional(),
    },
    { error: EXPECTED_RETRY },
  ),
  'a longest pause that is no shorter than the first',
  (given): Reading<RetryValues> =>
    given.first !== undefined && given.longest !== undefined && given.longest < given.first
      ? { problem: 'the longest pause is shorter than the first' }
      : { value: given },
);

export interface RetryValues {
  readonly attempts?: number | undefined;
  /** Milliseconds. */
  readonly first?: number | undefined;
  readonly longest?: number | undefined;
}

/** What an author says of retries, with `defaults` for the rest. */
export function retrySettings(
  values: RetryValues | undefined,
  defaults: RetrySettings = DEFAULT_RETRY,
): RetrySettings {
  // Of the one that is given, the default of the other does not get in the way.
  const firstMs = values?.first ?? Math.min(defaults.firstMs, values?.longest ?? defaults.firstMs);
  return {
    attempts: values?.attempts ?? defaults.attempts,
    firstMs,
    longestMs: Math.max(firstMs, values?.longest ?? defaults.longestMs),
  };
}

/** `order.paid`, `order.*` or `*`. */
const eventPattern = text(
  "an event's type such as 'order.paid', or 'order.*' for all that begin so",
  (written): Reading<string> => {
    if (written === '*') return { value: written };
    const prefix = written.endsWith('.*') ? written.slice(0, -2) : written;
    if (prefix.includes('*')) return { problem: "a * is the whole, or comes last and behind a '.'" };
    return eventType.safeParse(prefix).success
      ? { value: written }
      : { problem: "letters, digits and . _ : / - between them are an event's type, at most 100" };
  },
);

const patterns = refine(
  z.array(eventPattern, { error: "a list such as ['order.paid']" }).readonly(),
  'each type of event once',
  readDistinct,
);

const somePatterns = refine(patterns, "at least one type, such as ['order.paid']", (types) =>
  types.length === 0 ? { problem: 'none' } : { value: types },
);

const ofSubscription = {
  types: somePatterns,
  batch: z
    .strictObject(
      { size: count(1, MOST_BATCHED), wait: duration('0s', '1m', '5s').optional() },
      { error: "an object such as { size: 100, wait: '1s' }" },
    )
    .optional(),
  concurrency: count(1, 10_000).optional(),
  retry: retrySchema.optional(),
};

const subscriptionObject = z.strictObject(ofSubscription, {
  error: "an object such as { types: ['order.paid'], batch: { size: 100 } }",
});

/** Of a module. An empty list is none. */
export const subscriptionSchema = z.union([
  patterns.transform((types): Subscription | null => (types.length === 0 ? null : subscription({ types }))),
  subscriptionObject.transform((values): Subscription | null => subscription(values)),
]);

/** Of a command. */
export const httpSubscriptionSchema = refine(
  z.strictObject(
    {
      ...ofSubscription,
      path: eventPath,
      mode: z
        .enum(['binary', 'structured', 'batched'], { error: "'binary', 'structured' or 'batched'" })
        .optional(),
    },
    { error: "an object such as { types: ['order.paid'], path: '/events' }" },
  ),
  "mode: 'batched' where there is a batch",
  ({ path, mode, ...values }): Reading<Subscription> => {
    const chosen: CloudEventMode = mode ?? 'binary';
    // What is acknowledged is what one request has sent.
    if (values.batch !== undefined && chosen !== 'batched')
      return { problem: `a request of the mode ${quote(chosen)} holds one event` };
    const read = subscription(values);
    const batchSize = chosen === 'batched' ? read.batchSize : 1;
    return { value: { ...read, batchSize, http: { path, mode: chosen } } };
  },
);

function subscription(values: z.output<typeof subscriptionObject>): Subscription {
  const { types, batch, concurrency, retry } = values;
  return {
    types,
    batchSize: batch?.size ?? DEFAULT_BATCH,
    batchWaitMs: batch?.wait ?? 0,
    concurrency: concurrency ?? null,
    retry: retrySettings(retry),
    http: null,
  };
}

/** `true`, or an object where more is to be said. */
export const asyncSchema = z.union([
  z.boolean({ error: 'true or false' }).transform((open): AsyncSettings => ({ ...DEFAULT_ASYNC, open })),
  z
    .strictObject(
      {
        open: z.boolean({ error: 'true or false' }).optional(),
        retry: retrySchema.optional(),
        keep: duration('1s', '14d', '1d').optional(),
        onSuccess: eventType.optional(),
        onFailure: eventType.optional(),
      },
      { error: "an object such as { onSuccess: 'report.done' }" },
    )
    .transform(({ open, retry, keep, onSuccess, onFailure }): AsyncSettings => ({
      open: open ?? true,
      retry: retrySettings(retry),
      keepMs: keep ?? DEFAULT_ASYNC.keepMs,
      onSuccess: onSuccess ?? null,
      onFailure: onFailure ?? null,
    })),
]);

const token = z.union([
  text(EXPECTED_TOKEN, (value): Reading<string> => {
    const problem = tokenProblem(value);
    return problem === null ? { value } : { problem };
  }),
  z.strictObject({ $secret: variableName }, { error: EXPECTED_TOKEN }),
]);

/** Of the app. */
export const eventsSchema = z
  .strictObject(
    {
      unmatched: z.enum(['keep', 'refuse'], { error: "'keep' or 'refuse'" }).optional(),
      dedupeWindow: duration('1s', '7d', '5m').optional(),
      endpoint: z
        .strictObject(
          { path: exactPath, host: exactHost.optional(), token },
          { error: "an object such as { path: '/events', token: secret('EVENTS_TOKEN') }" },
        )
        .optional(),
    },
    { error: "an object such as { unmatched: 'refuse' }" },
  )
  .transform(({ unmatched, dedupeWindow, endpoint }): EventSettings => ({
    unmatched: unmatched ?? DEFAULT_EVENTS.unmatched,
    dedupeMs: dedupeWindow ?? DEFAULT_EVENTS.dedupeMs,
    endpoint:
      endpoint === undefined
        ? null
        : {
            host: endpoint.host ?? null,
            path: endpoint.path,
            token:
              typeof endpoint.token === 'string'
                ? { kind: 'value', value: endpoint.token }
                : { kind: 'secret', secret: endpoint.token.$secret },
          },
  }));

function readDistinct(items: readonly string[]): Reading<readonly string[]> {
  const twice = items.find((item, index) => items.indexOf(item) !== index);
  return twice === undefined ? { value: items } : { problem: `${quote(twice)} is listed twice` };
}

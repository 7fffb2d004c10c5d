import * as z from 'zod';
import { isAppId } from '../base/app-id.ts';
import { parseDuration } from '../base/duration.ts';
import { FulcrumError } from '../base/errors.ts';
import { isVariableName } from '../base/variable-name.ts';
import { burstFor, type Limits } from '../model/app.ts';
import { MAX_CALL_WINDOW_MS } from '../model/calls.ts';
import { LOG_LEVELS } from './log-filter.ts';
import { canaryPlan, manifest } from './schemas.ts';

const modeSetting = z.enum(['function', 'service', 'auto']);

export const modeInput = z.strictObject({
  mode: modeSetting,
  /** Switches though the code would break in the new mode. */
  force: z.boolean().default(false),
});

export const modeCheckInput = z.strictObject({ mode: modeSetting });

const rate = z.number().min(0.01).max(1_000_000);
const burst = z.int().min(1).max(1_000_000).nullable().describe('Null: a second’s worth');

/** All four must be said, for this replaces all: what is forgotten would be lifted, a kill switch too. */
export const limitsInput = z.strictObject({
  rps: rate.nullable().describe('Invocations per second; null: as many as anybody likes'),
  burst,
  perClient: z
    .strictObject({ rps: rate, burst: burst.default(null) })
    .nullable()
    .describe('The same of one client’s HTTP requests'),
  concurrency: z
    .int()
    .min(0)
    .max(1_000_000)
    .nullable()
    .describe('Invocations that wait or are worked on at a time; 0 switches it off'),
});

/** Throws `bad-request`. */
export function limitsOf({ rps, burst, perClient, concurrency }: z.output<typeof limitsInput>): Limits {
  if (rps === null && burst !== null)
    throw new FulcrumError(
      'bad-request',
      'The request is not valid: burst: a burst is of a rate, and there is no rps.',
    );
  return {
    rps,
    burst: rps === null ? null : (burst ?? burstFor(rps)),
    perClient:
      perClient === null ? null : { rps: perClient.rps, burst: perClient.burst ?? burstFor(perClient.rps) },
    concurrency,
  };
}

export const invokeInput = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('call'),
    function: z.string().min(1).max(200),
    args: z.array(z.unknown()).max(100).default([]),
  }),
  z.strictObject({
    kind: z.literal('scheduled'),
    cron: z.string().max(200).optional(),
    atMs: z.int().min(0).max(8.64e15).optional(),
  }),
  z.strictObject({
    kind: z.literal('queue'),
    messages: z
      .array(z.strictObject({ type: z.string().min(1).max(200), data: z.unknown() }))
      .min(1)
      .max(100),
  }),
]);

const logFilter = {
  component: z.string().max(200).optional(),
  request: z.string().max(200).optional(),
  since: z.coerce.number().min(0).optional().describe('Milliseconds since 1970'),
  level: z.enum(LOG_LEVELS).optional(),
  limit: z.coerce.number().int().min(0).max(10_000).default(200),
};
export const logsInput = z.strictObject(logFilter);

export const capacityInput = z.strictObject({
  days: z.coerce
    .number()
    .int()
    .min(1)
    .max(90)
    .default(30)
    .describe('From the usage of the last so many days'),
});

const LEAST_WINDOW_MS = 1_000;

export const callsInput = z.strictObject({
  window: z
    .string()
    .max(50)
    .refine(isWindow, { error: 'a duration from 1s to 60m, such as 5m or 1m30s' })
    .default('5m')
    .describe('The calls of the last `30s`, `5m`, `60m`, counted from the beginning of a minute'),
});

/** Of `callsInput`. */
export function windowMsOf({ window }: z.output<typeof callsInput>): number {
  return parseDuration(window)!;
}

function isWindow(text: string): boolean {
  const windowMs = parseDuration(text);
  return windowMs !== null && windowMs >= LEAST_WINDOW_MS && windowMs <= MAX_CALL_WINDOW_MS;
}

export const pageInput = z.strictObject({
  before: z.coerce.number().int().min(1).optional().describe('Only those with a smaller number'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

export const modeHistoryInput = z.strictObject({
  component: z.string().min(1).max(200).optional().describe('Or a group; all where absent'),
  before: z.string().min(1).max(100).optional().describe('Id of a step: only those before it'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

const releaseNumber = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
export const componentParams = z.strictObject({ component: z.string().max(200) });
export const releaseParams = z.strictObject({ number: releaseNumber });
export const secretParams = z.strictObject({
  // What is no name is not repeated, neither here nor in the log of changes: somebody may have written `NAME=value`.
  name: z
    .string()
    .max(200)
    .refine(isVariableName, { error: 'letters, digits and _, not beginning with a digit' }),
});
export const tokenParams = z.strictObject({ id: z.string().max(100) });
export const diffInput = z.strictObject({ from: releaseNumber, to: releaseNumber });

const routing = z.strictObject({
  hosts: z.array(z.string().min(1).max(253)).max(100),
  prefix: z.string().max(500),
});
export const routingInput = routing;

export const deployInput = z.strictObject({
  manifest,
  canary: canaryPlan
    .refine(({ steps }) => steps.length > 0 && steps.length <= 20 && isRising(steps), {
      path: ['steps'],
      error: 'one to twenty percentages, each above the one before',
    })
    .nullable()
    .default(null),
  routing: routing.nullable().default(null).describe('Null: as it is; under every host for a new app'),
  note: z
    .string()
    .max(1_000)
    // Postgres keeps no NUL, and a terminal obeys the others.
    .regex(
      /^(?:[\t\n\r]|[^\p{Cc}\p{Cs}])*$/u,
      'no control characters but tabs and line breaks, and no halves of characters',
    )
    .default(''),
});

export const rollbackInput = z.strictObject({
  to: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe('Null: the newest healthy one before the one that serves'),
});

export const digestsInput = z.strictObject({
  digests: z.array(z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex')).max(50_000),
});

export const removeSecretInput = z.strictObject({
  force: z
    .enum(['true', 'false'])
    .default('false')
    .describe('Removes it though what serves would not start again without it'),
});

export const secretInput = z.strictObject({ value: z.string().max(64 * 1024) });

const YEAR_MS = 366 * 86_400_000;
export const tokenInput = z.strictObject({
  name: z
    .string()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@+-]{0,59}$/u, 'letters, digits, spaces and . _ @ + - , at most 60'),
  scope: z.enum(['read', 'deploy', 'admin']),
  apps: z
    .array(z.string().refine(isAppId, { error: "an app's id, such as shop or shop@staging" }))
    .min(1)
    .max(100)
    .nullable()
    .default(null)
    .describe('Null: all of them, also those to come'),
  expiresInMs: z
    .int()
    .min(60_000, 'a minute (60000) at least')
    .max(10 * YEAR_MS, 'ten years at most')
    .nullable()
    .default(null)
    .describe('Null: never'),
});

function isRising(steps: readonly number[]): boolean {
  return steps.every((step, i) => i === 0 || step > steps[i - 1]!);
}

/** `value` as `schema` wants it. Throws `bad-request` that names everything wrong with it. */
export function parseInput<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => ({
    path: issue.path.map(String).join('.'),
    message: issue.message,
  }));
  const list = issues.map((issue) => (issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`));
  throw new FulcrumError('bad-request', `The request is not valid: ${list.join('; ')}.`, {
    details: { issues },
  });
}

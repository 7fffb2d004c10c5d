import * as z from 'zod';
import { FulcrumError } from '../base/errors.ts';
import { LOG_LEVELS } from './log-filter.ts';

export const modeInput = z.strictObject({ mode: z.enum(['function', 'service', 'auto']) });

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

export const logsInput = z.strictObject({
  component: z.string().max(200).optional(),
  request: z.string().max(200).optional(),
  /** Epoch milliseconds. */
  since: z.coerce.number().min(0).optional(),
  level: z.enum(LOG_LEVELS).optional(),
  limit: z.coerce.number().int().min(0).max(10_000).default(200),
  follow: z.enum(['0', '1']).default('0'),
});

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

/** The JSON of a request. Throws `bad-request`. */
export async function readJson(request: Request): Promise<unknown> {
  // Besides being right, asking for the type keeps plain HTML forms of other pages out.
  if (!/^application\/json\b/i.test(request.headers.get('content-type') ?? '')) {
    throw new FulcrumError('bad-request', 'Send JSON, with `Content-Type: application/json`.');
  }
  try {
    return await request.json();
  } catch (error) {
    throw new FulcrumError('bad-request', 'The request’s body is not valid JSON.', { cause: error });
  }
}

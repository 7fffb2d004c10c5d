import { z } from 'zod';

/**
 * The convention between the schema and `schema-issues.ts`: a schema's error text says what would be right ("a size with its
 * unit"), and a `problem` in a custom issue's `params` says what is wrong.
 */
export type Reading<T> = { readonly value: T } | { readonly problem: string; readonly expected?: string };

/** A string that `read` turns into a value, or says what is wrong with it. */
export function text<T>(expected: string | ((found: unknown) => string), read: (text: string) => Reading<T>) {
  const expectedFor = typeof expected === 'string' ? () => expected : expected;
  return z
    .string({ error: (issue) => expectedFor(issue.input) })
    .transform((input, context): T => take(read(input), input, expectedFor(input), context));
}

/** A number that `read` accepts. */
export function number(expected: string, read: (value: number) => Reading<number>) {
  return z
    .number({ error: expected })
    .transform((input, context): number => take(read(input), input, expected, context));
}

/** What `read` makes of a value that `schema` has accepted already. */
export function refine<S extends z.ZodType, T>(
  schema: S,
  expected: string,
  read: (value: z.output<S>) => Reading<T>,
) {
  return schema.transform((input, context): T => take(read(input), input, expected, context));
}

function take<T>(reading: Reading<T>, input: unknown, expected: string, context: z.core.$RefinementCtx): T {
  if ('value' in reading) return reading.value;
  context.issues.push({
    code: 'custom',
    input,
    message: reading.expected ?? expected,
    params: { problem: reading.problem },
  });
  return z.NEVER;
}

/** A key that belongs to another kind of component; `why` says to which. */
export function misplaced(why: string) {
  return z.never({ error: why }).optional();
}

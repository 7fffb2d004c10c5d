import { z } from 'zod';
import { nearest } from '../base/suggest.ts';
import { type ConfigIssue, type ConfigPath, anyOf, issueAt, quote, renderPath } from './issues.ts';

type Schema = z.core.$ZodType;
type SchemaIssue = z.core.$ZodIssue;

/** Every issue of a value, and the keys of it that are at fault. */
export interface Checked {
  readonly issues: readonly ConfigIssue[];
  readonly keys: ReadonlySet<string>;
}

/** Holds `input`, which stands at `path`, against `schema`. Issues come in the order of the author's keys. */
export function check(schema: z.ZodType, input: unknown, path: ConfigPath): Checked {
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) return { issues: [], keys: new Set() };
  const order = typeof input === 'object' && input !== null ? Object.keys(input) : [];
  const position = (issue: SchemaIssue): number => order.indexOf(keysAtFault(issue)[0] ?? '');
  const issues = result.error.issues.toSorted((a, b) => position(a) - position(b));
  return {
    issues: issues.flatMap((issue) => translate([schema], issue, path)),
    keys: new Set(issues.flatMap(keysAtFault)),
  };
}

function keysAtFault(issue: SchemaIssue): string[] {
  if (issue.path.length > 0) return [String(issue.path[0])];
  return issue.code === 'unrecognized_keys' ? issue.keys : [];
}

/** @param roots what the value at `base` may be: one schema, or the branches of a union. */
function translate(roots: readonly Schema[], issue: SchemaIssue, base: ConfigPath): ConfigIssue[] {
  const path = [...base, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  if (issue.code === 'unrecognized_keys') {
    const known = schemasAt(roots, issue.path).flatMap(keysOf);
    return issue.keys.map((key) => unknownKey(path, key, known));
  }
  if (issue.code === 'invalid_union') return ofUnion(schemasAt(roots, issue.path), issue, path);
  if (issue.code === 'invalid_key') return issue.issues.map((inner) => ofKey(path, inner));
  return [issueAt(path, issue.input, { message: problemOf(issue), expected: issue.message })];
}

/** The branch that was meant is the one whose type fits; where none fits, all that would be right is told. */
function ofUnion(
  branches: readonly Schema[],
  issue: z.core.$ZodIssueInvalidUnion,
  path: ConfigPath,
): ConfigIssue[] {
  const meant = issue.errors.find((errors) => !errors.some(isOtherType));
  if (meant !== undefined) return meant.flatMap((inner) => translate(branches, inner, path));
  const expected = new Set(issue.errors.flatMap((errors) => errors.filter(isOtherType).map(messageOf)));
  const message = issue.input === undefined ? 'missing' : 'of the wrong type';
  return [issueAt(path, issue.input, { message, expected: anyOf([...expected]) })];
}

function isOtherType(issue: SchemaIssue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function messageOf(issue: SchemaIssue): string {
  return issue.message;
}

function ofKey(path: ConfigPath, issue: SchemaIssue): ConfigIssue {
  const key = String(path.at(-1)).replace(/=.+$/s, '=…');
  return {
    path: renderPath(path),
    found: `the key ${quote(key)}`,
    message: problemOf(issue),
    expected: issue.message,
  };
}

/** The value of a key nobody knows is not shown: it may belong into `env`. */
export function unknownKey(path: ConfigPath, key: string, known: readonly string[]): ConfigIssue {
  const near = nearest(key, known);
  return {
    path: renderPath([...path, key]),
    found: `the key ${quote(key)}`,
    message: 'unknown key',
    expected: near === null ? anyOf(known.map(quote)) : quote(near),
  };
}

function problemOf(issue: SchemaIssue): string {
  if (issue.code === 'custom') {
    const problem: unknown = issue.params?.['problem'];
    if (typeof problem === 'string') return problem;
  }
  if (issue.input === undefined) return 'missing';
  if (issue.code === 'invalid_type') {
    return issue.expected === 'never' ? 'does not belong here' : 'of the wrong type';
  }
  return 'not one of the values there are';
}

/** What may stand at `path` inside `roots`. */
function schemasAt(roots: readonly Schema[], path: readonly PropertyKey[]): readonly Schema[] {
  let schemas = roots.flatMap(bare);
  for (const part of path) schemas = schemas.flatMap((schema) => childOf(schema, part)).flatMap(bare);
  return schemas;
}

function childOf(schema: Schema, part: PropertyKey): Schema[] {
  if (schema instanceof z.ZodArray) return [schema.element];
  if (schema instanceof z.ZodRecord) return [schema.valueType];
  if (!(schema instanceof z.ZodObject)) return [];
  const child = (schema.shape as Record<PropertyKey, Schema>)[part];
  return child === undefined ? [] : [child];
}

/** The schemas that look at the value itself: without wrappers, each branch of a union. */
function bare(schema: Schema): Schema[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodReadonly) return bare(schema.unwrap());
  if (schema instanceof z.ZodPipe) return bare(schema.in);
  return schema instanceof z.ZodUnion ? schema.options.flatMap(bare) : [schema];
}

/** The keys that an object may have, without those that only say that they belong elsewhere. */
export function keysOf(schema: Schema): string[] {
  if (!(schema instanceof z.ZodObject)) return [];
  const shape = schema.shape as Record<string, Schema>;
  return Object.keys(shape).filter((key) => !bare(shape[key]!).some((child) => child instanceof z.ZodNever));
}

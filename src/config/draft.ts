import type { z } from 'zod';
import { componentIssues } from './component-rules.ts';
import { componentName } from './fields.ts';
import { memberValues } from './group-spec.ts';
import { type ConfigIssue, anyOf, issueAt } from './issues.ts';
import { check, keysOf, unknownKey } from './schema-issues.ts';
import {
  type AppValues,
  type CommandValues,
  type ModuleValues,
  type RunningValues,
  type StaticValues,
  type UnknownKindValues,
  appSchema,
  commandSchema,
  moduleSchema,
  partly,
  staticSchema,
  unknownKindSchema,
} from './schema.ts';

/** A config that has been read: everything that could be understood, and every issue. It is whole only where there is none. */
export interface Draft {
  readonly app: AppValues;
  readonly components: readonly ComponentDraft[];
  readonly issues: readonly ConfigIssue[];
}

/** `values` holds what was right even where something else was not, so that the checks between components still see it. */
export type ComponentDraft =
  | { readonly kind: 'module'; readonly name: string; readonly values: ModuleValues }
  | { readonly kind: 'command'; readonly name: string; readonly values: CommandValues }
  | { readonly kind: 'static'; readonly name: string; readonly values: StaticValues }
  | { readonly kind: null; readonly name: string; readonly values: UnknownKindValues };

const KIND_KEYS = ['entry', 'command', 'static'] as const;
const APP_KEYS = [...keysOf(appSchema), 'components'];
/** An app of more components than this is a mistake in a loop. */
const MOST_COMPONENTS = 1_000;

/** Reads what a config file evaluated to. Looks at nothing else: no files, no clock. */
export function readDraft(raw: unknown): Draft {
  if (!isRecord(raw)) {
    const about = { message: 'not an object', expected: 'what defineApp({ name, components }) gives' };
    return { app: {}, components: [], issues: [issueAt([], raw, about)] };
  }
  const known = Object.entries(raw).filter(([key]) => APP_KEYS.includes(key));
  const unknown = Object.keys(raw).filter((key) => !APP_KEYS.includes(key));
  const { components: rawComponents, ...fields } = Object.fromEntries(known);
  const issues: ConfigIssue[] = unknown.map((key) => unknownKey([], key, APP_KEYS));
  const app = readPartly(appSchema, partly.app, fields, [], issues);
  const components: ComponentDraft[] = [];
  for (const [name, value] of componentEntries(rawComponents, issues)) {
    issues.push(...check(componentName, name, ['components', name]).issues);
    components.push(readComponent(name, value, issues));
  }
  for (const component of components)
    issues.push(
      ...componentIssues(
        ['components', component.name],
        component.values,
        processOf(component, app, components),
      ),
    );
  return { app, components, issues };
}

/** What is said of a component's process, which others may share and say it of. */
function processOf(component: ComponentDraft, app: AppValues, all: readonly ComponentDraft[]): RunningValues {
  if (component.kind !== 'module') return component.values;
  const group = Object.values(app.groups ?? {}).find((members) => members.includes(component.name)) ?? [];
  const members = all.flatMap((one) => (one.kind === 'module' && group.includes(one.name) ? [one] : []));
  return members.length < 2
    ? component.values
    : memberValues(
        component.values,
        members.map(({ values }) => values),
      );
}

function componentEntries(raw: unknown, issues: ConfigIssue[]): [string, unknown][] {
  const entries = isRecord(raw) ? Object.entries(raw) : [];
  if (entries.length > 0 && entries.length <= MOST_COMPONENTS) return entries;
  const message =
    raw === undefined
      ? 'missing'
      : !isRecord(raw)
        ? 'of the wrong type'
        : entries.length === 0
          ? 'there is no component'
          : 'there are too many components';
  const expected = `an object of 1 to ${MOST_COMPONENTS} components, such as { hello: { entry: './hello.ts' } }`;
  issues.push(issueAt(['components'], raw, { message, expected }));
  return [];
}

function readComponent(name: string, raw: unknown, issues: ConfigIssue[]): ComponentDraft {
  const path = ['components', name];
  if (!isRecord(raw)) {
    const about = { message: 'not an object', expected: "a component such as { entry: './hello.ts' }" };
    issues.push(issueAt(path, raw, about));
    return { kind: null, name, values: {} };
  }
  return readKind(name, raw, issues);
}

function readKind(name: string, raw: Record<string, unknown>, issues: ConfigIssue[]): ComponentDraft {
  const path = ['components', name];
  const given = KIND_KEYS.filter((key) => raw[key] !== undefined);
  if (given.length !== 1) {
    const own: ConfigIssue[] = [];
    const values = readPartly(unknownKindSchema, unknownKindSchema, raw, path, own);
    // Where `entry` itself is misspelt, that has been told already.
    const misspelt = own.some((issue) => KIND_KEYS.some((key) => issue.expected === `'${key}'`));
    if (given.length > 1 || !misspelt) own.push(wrongKind(path, raw, given));
    issues.push(...own);
    return { kind: null, name, values };
  }
  if (given[0] === 'entry') {
    return { kind: 'module', name, values: readPartly(moduleSchema, partly.module, raw, path, issues) };
  }
  if (given[0] === 'command') {
    return { kind: 'command', name, values: readPartly(commandSchema, partly.command, raw, path, issues) };
  }
  return { kind: 'static', name, values: readPartly(staticSchema, partly.static, raw, path, issues) };
}

function wrongKind(path: string[], raw: Record<string, unknown>, given: readonly string[]): ConfigIssue {
  const message = given.length === 0 ? 'it does not say what it is' : `it has ${given.join(' and ')}`;
  return issueAt(path, raw, { message, expected: `exactly one of ${anyOf(KIND_KEYS)}` });
}

/** Adds to `issues` what `whole` finds in `raw`, and reads by `partial` the keys that are not at fault. */
function readPartly<P extends z.ZodType>(
  whole: z.ZodType,
  partial: P,
  raw: Record<string, unknown>,
  path: readonly string[],
  issues: ConfigIssue[],
): z.output<P> {
  const checked = check(whole, raw, path);
  issues.push(...checked.issues);
  const rest = Object.entries(raw).filter(([key]) => !checked.keys.has(key));
  return partial.parse(Object.fromEntries(rest));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

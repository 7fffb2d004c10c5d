import { nearest } from '../base/suggest.ts';
import type { ComponentDraft, Draft } from './draft.ts';
import { TWO_OR_MORE } from './group-schema.ts';
import { OF_THE_PROCESS } from './group-spec.ts';
import { anyOf, type ConfigIssue, type ConfigPath, issueAt } from './issues.ts';
import type { EnvValues } from './schema.ts';

const MOST_GROUPS = 100;
/** One process has to load them all. */
const MOST_MEMBERS = 100;

type ModuleDraft = Extract<ComponentDraft, { kind: 'module' }>;

/** What is wrong with the groups of a config, and with its lists of what may be called. */
export function groupIssues({ app, components }: Draft): ConfigIssue[] {
  const names = new Set(components.map(({ name }) => name));
  const groups = Object.entries(app.groups ?? {});
  const issues = components.flatMap((component) => callIssues(component, components, app.groups ?? {}));
  if (groups.length > MOST_GROUPS) {
    const about = { message: 'there are too many groups', expected: `at most ${MOST_GROUPS}` };
    issues.push(issueAt(['groups'], app.groups, about));
    return issues;
  }
  const takenBy = new Map<string, string>();
  for (const [group, members] of groups) {
    const path = ['groups', group];
    if (names.has(group)) {
      const about = { message: 'a component has this name', expected: 'a name of its own' };
      issues.push(issueAt(path, group, about));
    }
    if (members.length > MOST_MEMBERS) {
      const about = { message: 'there are too many members', expected: `at most ${MOST_MEMBERS}` };
      issues.push(issueAt(path, members, about));
      continue;
    }
    const drafts: ModuleDraft[] = [];
    for (const [index, name] of members.entries()) {
      const problem = memberProblem(name, group, { app, components }, takenBy);
      if (problem !== null) issues.push(issueAt([...path, index], name, problem));
      takenBy.set(name, group);
      const draft = components.find((component) => component.name === name);
      if (problem === null && draft?.kind === 'module') drafts.push(draft);
    }
    if (members.length < 2) {
      const about = { message: 'there are fewer than two members', expected: TWO_OR_MORE };
      issues.push(issueAt(path, members, about));
    }
    issues.push(...conflicts(path, drafts, app.env ?? {}));
  }
  return issues;
}

type Problem = Parameters<typeof issueAt>[2];

function memberProblem(
  name: string,
  group: string,
  { app, components }: Pick<Draft, 'app' | 'components'>,
  takenBy: ReadonlyMap<string, string>,
): Problem | null {
  const component = components.find((one) => one.name === name);
  const modules = components.filter(({ kind }) => kind === 'module').map((one) => one.name);
  if (component === undefined && Object.hasOwn(app.groups ?? {}, name))
    return { message: 'it is a group, and holds components', expected: 'a module (entry)' };
  if (component === undefined)
    return { message: 'there is no such component', expected: near(name, modules) };
  // What it is is told where it stands.
  if (component.kind !== 'module' && component.kind !== null) {
    const message = `it is a ${component.kind === 'command' ? 'command' : 'folder of files'}, which shares no process`;
    return { message, expected: 'a module (entry)' };
  }
  const other = takenBy.get(name);
  if (other === undefined) return null;
  return other === group
    ? { message: 'it is named twice', expected: 'each component once' }
    : { message: `it is in the group '${other}' already`, expected: 'a component of no other group' };
}

/** What members say differently of the process that they share. */
function conflicts(path: ConfigPath, members: readonly ModuleDraft[], appEnv: EnvValues): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  for (const key of OF_THE_PROCESS) {
    const said = members.filter(({ values }) => values[key] !== undefined);
    const [first, other] = differing(said, ({ values }) => values[key]);
    if (first === null) continue;
    const message = `its members share a process, and differ in ${key}`;
    issues.push(
      conflict(path, message, [first, other], `the same ${key} for all, or none where another says it`),
    );
  }
  const [open, closed] = differing(members, ({ values }) => values.network ?? 'full');
  if (open !== null) {
    const message = 'its members share a process, and differ in network';
    issues.push(conflict(path, message, [open, closed], 'the same network for all'));
  }
  for (const variable of new Set(members.flatMap(({ values }) => Object.keys(values.env ?? {})))) {
    const having = members.filter(({ values }) => ({ ...appEnv, ...values.env })[variable] !== undefined);
    const [one, another] = differing(having, ({ values }) => ({ ...appEnv, ...values.env })[variable]);
    if (one === null) continue;
    const message = `its members share a process, and differ in the variable ${variable}`;
    issues.push(conflict(path, message, [one, another], 'one value, or two names'));
  }
  return issues;
}

function conflict(
  path: ConfigPath,
  message: string,
  [one, other]: readonly [ModuleDraft, ModuleDraft],
  expected: string,
): ConfigIssue {
  return { ...issueAt(path, null, { message, expected }), found: `${one.name} and ${other.name}` };
}

/** Two of `members` of which `of` says different things; nulls where it says the same of all. */
function differing(
  members: readonly ModuleDraft[],
  of: (member: ModuleDraft) => unknown,
): readonly [ModuleDraft, ModuleDraft] | readonly [null, null] {
  const [first] = members;
  if (first === undefined) return [null, null];
  const text = JSON.stringify(of(first));
  const other = members.find((member) => JSON.stringify(of(member)) !== text);
  return other === undefined ? [null, null] : [first, other];
}

function callIssues(
  component: ComponentDraft,
  components: readonly ComponentDraft[],
  groups: Readonly<Record<string, readonly string[]>>,
): ConfigIssue[] {
  if (component.kind === 'static' || component.kind === null) return [];
  const issues: ConfigIssue[] = [];
  const callable = components.filter((one) => one.kind !== 'static' && one !== component);
  for (const [index, name] of (component.values.calls ?? []).entries()) {
    const path = ['components', component.name, 'calls', index];
    const called = components.find((one) => one.name === name);
    let problem: Problem | null = null;
    if (called === undefined && Object.hasOwn(groups, name)) {
      const expected = anyOf(groups[name]!.map((one) => `'${one}'`));
      problem = { message: 'it is a group, which nobody calls', expected };
    } else if (called === undefined) {
      const expected = near(
        name,
        callable.map((one) => one.name),
      );
      problem = { message: 'there is no such component', expected };
    } else if (called === component) {
      problem = { message: 'a component does not call itself', expected: 'the name of another' };
    } else if (called.kind === 'static') {
      problem = { message: 'it is a folder of files, which nobody calls', expected: 'a module or a command' };
    }
    if (problem !== null) issues.push(issueAt(path, name, problem));
  }
  return issues;
}

function near(name: string, names: readonly string[]): string {
  const nearestName = nearest(name, names);
  if (nearestName !== null) return `'${nearestName}'`;
  return names.length === 0 ? 'a component' : anyOf(names.slice(0, 6).map((one) => `'${one}'`));
}

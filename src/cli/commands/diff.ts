import { FulcrumError } from '../../base/errors.ts';
import type { ConfigChange, ReleaseDiff } from '../../control/release-diff.ts';
import type { AppRecord } from '../../model/app-record.ts';
import { connectToApp, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { paint, printableLine, terminalWidth, truncate, wrap } from '../terminal.ts';
import { releaseNumber } from './rollback.ts';

export interface DiffOptions extends Target {
  readonly json?: boolean;
}

type Diff = ReleaseDiff & {
  readonly from: number;
  readonly to: number;
  /** The one that serves, where it was asked for. */
  readonly serving?: number;
};

const MOST_FILES = 20;
const BUNDLE = /^\.fulcrum\/bundles\/(.+)-[0-9a-f]{12}\//;

/** With one release: against the one that serves. */
export async function diff(a: string, b: string | undefined, options: DiffOptions): Promise<ExitCode> {
  const numbers = [a, b].filter((text) => text !== undefined).map(releaseNumber);
  const { client, at, app } = await connectToApp(options);
  const to = numbers.at(-1)!;
  const served = numbers.length === 2 ? null : await serving(client, at(''), app);
  const from = served ?? numbers[0]!;
  const found = await client.get<Diff>(at(`/diff?from=${from}&to=${to}`));
  if (options.json === true) printJson(found);
  else {
    const shown = served === null ? found : { ...found, serving: served };
    for (const line of diffLines(app, shown, terminalWidth())) print(line);
  }
  return EXIT.ok;
}

async function serving(
  client: { get<T>(path: string): Promise<T> },
  path: string,
  app: string,
): Promise<number> {
  const { app: record } = await client.get<{ app: AppRecord }>(path);
  if (record.serving !== null) return record.serving;
  throw new FulcrumError('usage', `Nothing of ${app} serves; name two releases.`);
}

/** What `diff` shows, no line wider than `width`: settings by component, whose code is another, and files. */
export function diffLines(app: string, found: Diff, width: number): string[] {
  const { from, to, config, files, truncated } = found;
  const name = (release: number): string =>
    `release ${release}${release === found.serving ? ', which serves,' : ''}`;
  const head = `${app}: what changes from ${name(from)} to ${name(to).replace(/,$/, '')}`;
  const lines = wrap(head, width).map((line) => paint('bold', line));
  const headLines = lines.length;
  const section = (title: string, entries: readonly string[]): void => {
    if (entries.length === 0) return;
    lines.push('', paint('bold', title), ...entries.map((entry) => truncate(entry, width)));
  };

  const byComponent = Map.groupBy(config, ({ path }) => /^components\.([^.[]+)/.exec(path)?.[1] ?? '');
  const [grouping, ofApp] = partition(byComponent.get('') ?? [], ({ path }) => /^groups(?:\.|$)/.test(path));
  section(
    'the app',
    ofApp.map((change) => changeLine(change, change.path)),
  );
  section('groups: components in one process', grouping.flatMap(groupChanges));
  for (const [component, changes] of byComponent) {
    if (component === '') continue;
    const below = `components.${component}`;
    section(
      component,
      changes.map((change) => changeLine(change, change.path.slice(below.length + 1))),
    );
  }

  const code = new Set(
    [...files.added, ...files.removed, ...files.changed].flatMap((path) => BUNDLE.exec(path)?.[1] ?? []),
  );
  section('code', code.size === 0 ? [] : [`  ~ ${[...code].sort().join(', ')}`]);
  const own = (paths: readonly string[]): string[] => paths.filter((path) => !BUNDLE.test(path));
  const [added, removed, changed] = [own(files.added), own(files.removed), own(files.changed)];
  const counts = [
    ...(added.length > 0 ? [`${added.length} added`] : []),
    ...(removed.length > 0 ? [`${removed.length} removed`] : []),
    ...(changed.length > 0 ? [`${changed.length} changed`] : []),
  ];
  const all = [
    ...changed.map((path) => `  ~ ${printableLine(path)}`),
    ...added.map((path) => `  + ${printableLine(path)}`),
    ...removed.map((path) => `  - ${printableLine(path)}`),
  ];
  const more = all.length - MOST_FILES;
  section(
    `files: ${counts.join(', ')}`,
    more > 0 ? [...all.slice(0, MOST_FILES), `  … and ${more} more (--json has them)`] : all,
  );
  if (lines.length === headLines) lines.push('', 'Nothing is different.');
  if (truncated) lines.push('', paint('dim', 'There are more changes than the server tells.'));
  return lines;
}

function partition<T>(all: readonly T[], isFirst: (one: T) => boolean): readonly [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}

/** A line for each group that came, went or has other members. */
function groupChanges({ path, before, after }: ConfigChange): string[] {
  const name = path.slice('groups.'.length);
  const [old, now] = name === '' ? [before, after] : [{ [name]: before }, { [name]: after }];
  const names = new Set([...Object.keys(old ?? {}), ...Object.keys(now ?? {})]);
  return [...names].map((group) => {
    const [was, is] = [membersIn(old, group), membersIn(now, group)];
    const change =
      was === '' ? `+ ${group}: ${is}` : is === '' ? `- ${group}: ${was}` : `~ ${group}: ${was} → ${is}`;
    return `  ${printableLine(change)}`;
  });
}

function membersIn(groups: unknown, group: string): string {
  const members = (groups as Readonly<Record<string, unknown>> | null | undefined)?.[group];
  return Array.isArray(members) ? members.join(', ') : '';
}

function changeLine(change: ConfigChange, name: string): string {
  const label = printableLine(name === '' ? 'the component' : name);
  const has = { before: 'before' in change, after: 'after' in change };
  // Plain variables are not secret, but people put secrets there by mistake: their names are enough.
  if (/(?:^|\.)env(?:\.|$)/.test(name)) {
    return has.before && has.after ? `  ~ ${label}` : has.after ? `  + ${label}` : `  - ${label}`;
  }
  if (!has.before) return `  + ${label}: ${shown(change.after)}`;
  if (!has.after) return `  - ${label}: ${shown(change.before)}`;
  return `  ~ ${label}: ${shown(change.before)} → ${shown(change.after)}`;
}

/** As JSON, on one line; variables' values are left out of what is shown whole. */
function shown(value: unknown): string {
  const text = JSON.stringify(value, (key, inner: unknown) =>
    key === 'env' && typeof inner === 'object' && inner !== null ? Object.keys(inner) : inner,
  );
  return printableLine(text ?? 'nothing');
}

import { parseDuration } from '../../base/duration.ts';
import { FulcrumError } from '../../base/errors.ts';
import { nearest } from '../../base/suggest.ts';
import type { AppDetails } from '../../control/schemas.ts';
import type { LogStreamLine } from '../../control/log-stream.ts';
import { LOG_LEVELS } from '../../control/log-filter.ts';
import type { LogEntry } from '../../model/log.ts';
import type { ComponentStatus, GroupStatus } from '../../model/status.ts';
import { connectToApp, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatEntry } from '../log-line.ts';
import { MAX_LOG_LINES } from '../options.ts';
import { requestTree } from '../request-tree.ts';
import { print, printJson } from '../stdout.ts';
import { paint, printableLine, terminalWidth } from '../terminal.ts';
import { treeLines, treeTitle } from '../tree-lines.ts';

export interface LogsOptions extends Target {
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly request?: string;
  readonly since?: string;
  readonly level?: string;
  /** Absent: 100; of a request, all that is told at once. */
  readonly lines?: number;
  /** False: of a request, too, one line after the other. */
  readonly tree?: boolean;
}

const SOME_LINES = 100;

export async function logs(component: string | undefined, options: LogsOptions): Promise<ExitCode> {
  const query = logsQuery(component, options, Date.now());
  const asTree = showsTree(component, options);
  const { client, at } = await connectToApp(options);
  const { status } = await client.get<AppDetails>(at(''));
  // Of what does not run nobody knows the components, and its log is what is wanted.
  const [components, groups] =
    status === null
      ? [[], []]
      : await Promise.all([
          client.get<ComponentStatus[]>(at('/components')),
          client.get<GroupStatus[]>(at('/groups')),
        ]);
  const names = [...components, ...groups].map((each) => each.name);
  if (component !== undefined && status !== null) assertKnown(component, names);
  const nameWidth = component?.length ?? Math.max(...names.map((name) => name.length), 1);
  const show = (entry: LogEntry): void => print(formatEntry(entry, { nameWidth, time: true }));

  if (options.follow)
    return follow(
      client.lines(at(`/logs/follow?${query.toString()}`)),
      options.json ? (entry) => print(JSON.stringify(entry)) : show,
    );
  const entries = await client.get<LogEntry[]>(at(`/logs?${query.toString()}`));
  if (options.json) printJson(entries);
  else if (asTree) showTree(options.request!, entries);
  else for (const entry of entries) show(entry);
  return EXIT.ok;
}

/** Of a whole request; a part of one has no tree. */
function showsTree(
  component: string | undefined,
  { request, tree, json, follow: follows, since, level, lines }: LogsOptions,
): boolean {
  const isPart = [component, since, level, lines].some((each) => each !== undefined);
  return request !== undefined && tree !== false && json !== true && follows !== true && !isPart;
}

function showTree(request: string, entries: readonly LogEntry[]): void {
  const note = (text: string): void => void process.stderr.write(`${paint('dim', text, process.stderr)}\n`);
  if (entries.length === 0)
    return note(`The log has nothing of '${printableLine(request)}': it keeps the latest lines only.`);
  const tree = requestTree(entries);
  print(paint('dim', treeTitle(tree)));
  for (const line of treeLines(tree, terminalWidth())) print(line);
  if (entries.length >= MAX_LOG_LINES)
    note(`These are the latest ${MAX_LOG_LINES.toLocaleString('en-GB')} lines of it; there may be more.`);
}

async function follow(
  lines: AsyncIterable<LogStreamLine>,
  show: (entry: LogEntry) => void,
): Promise<ExitCode> {
  for await (const line of lines) {
    if (line.kind === 'entry') show(line.entry);
    if (line.kind === 'missed') {
      process.stderr.write(
        `${paint('yellow', `(${line.count} lines came faster than they could be shown)`, process.stderr)}\n`,
      );
    }
  }
  process.stderr.write(`${paint('dim', 'The server has ended.', process.stderr)}\n`);
  return EXIT.ok;
}

/** The query of `GET /v1/logs`. Throws `usage`. */
export function logsQuery(
  component: string | undefined,
  options: LogsOptions,
  nowMs: number,
): URLSearchParams {
  const lines = options.lines ?? (options.request === undefined ? SOME_LINES : MAX_LOG_LINES);
  const query = new URLSearchParams({ limit: String(lines) });
  if (component !== undefined) query.set('component', component);
  if (options.request !== undefined) query.set('request', options.request);
  if (options.since !== undefined) {
    const agoMs = parseDuration(options.since);
    if (agoMs === null) {
      throw new FulcrumError(
        'usage',
        `--since takes a duration such as 30s, 5m or 1h30m; '${options.since}' is none.`,
      );
    }
    query.set('since', String(Math.max(0, nowMs - agoMs)));
  }
  if (options.level !== undefined) {
    if (!LOG_LEVELS.some((level) => level === options.level)) {
      const likely = nearest(options.level, LOG_LEVELS);
      const advice = likely === null ? '' : ` Did you mean '${likely}'?`;
      throw new FulcrumError(
        'usage',
        `'${options.level}' is no level.${advice} There are: ${LOG_LEVELS.join(', ')}.`,
      );
    }
    query.set('level', options.level);
  }
  return query;
}

/** '-' is where the platform writes what belongs to no component; a group's name is for what belongs to its processes as such. */
function assertKnown(component: string, names: readonly string[]): void {
  if (component === '-' || names.includes(component)) return;
  const likely = nearest(component, names);
  const advice = likely === null ? `There are: ${names.join(', ')}.` : `Did you mean '${likely}'?`;
  throw new FulcrumError('not-found', `There is no component '${component}'. ${advice}`);
}

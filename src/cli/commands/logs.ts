import { parseDuration } from '../../base/duration.ts';
import { FulcrumError } from '../../base/errors.ts';
import { nearest } from '../../base/suggest.ts';
import type { AppDetails } from '../../control/schemas.ts';
import type { LogStreamLine } from '../../control/log-stream.ts';
import { LOG_LEVELS } from '../../control/log-filter.ts';
import type { LogEntry } from '../../model/log.ts';
import type { ComponentStatus } from '../../model/status.ts';
import { connectToApp, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { formatEntry } from '../log-line.ts';
import { print, printJson } from '../stdout.ts';
import { paint } from '../terminal.ts';

export interface LogsOptions extends Target {
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly request?: string;
  readonly since?: string;
  readonly level?: string;
  readonly lines: number;
}

export async function logs(component: string | undefined, options: LogsOptions): Promise<ExitCode> {
  const query = logsQuery(component, options, Date.now());
  const { client, at } = await connectToApp(options);
  const { status } = await client.get<AppDetails>(at(''));
  // Of what does not run nobody knows the components, and its log is what is wanted.
  const components = status === null ? [] : await client.get<ComponentStatus[]>(at('/components'));
  const names = components.map((each) => each.name);
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
  else for (const entry of entries) show(entry);
  return EXIT.ok;
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
  const query = new URLSearchParams({ limit: String(options.lines) });
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

/** '-' is where the platform writes what belongs to no component. */
function assertKnown(component: string, names: readonly string[]): void {
  if (component === '-' || names.includes(component)) return;
  const likely = nearest(component, names);
  const advice = likely === null ? `There are: ${names.join(', ')}.` : `Did you mean '${likely}'?`;
  throw new FulcrumError('not-found', `There is no component '${component}'. ${advice}`);
}

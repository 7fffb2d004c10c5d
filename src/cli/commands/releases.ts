import { formatDuration } from '../../base/duration.ts';
import type { ReleaseSummary } from '../../control/schemas.ts';
import type { AppRecord } from '../../model/app-record.ts';
import { connectToApp, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { formatTable, type Column } from '../table.ts';
import { paint, printableLine, terminalWidth } from '../terminal.ts';

export interface ReleasesOptions extends Target {
  readonly json?: boolean;
  readonly lines: number;
}

const COLUMNS: readonly Column[] = [
  { title: 'RELEASE', align: 'right' },
  { title: 'STATE' },
  { title: 'AGE', align: 'right' },
  { title: 'BY', minWidth: 8, dropOrder: 1 },
  { title: 'NOTE', minWidth: 10, dropOrder: 2 },
];

export async function releases(options: ReleasesOptions): Promise<ExitCode> {
  const { client, at } = await connectToApp(options);
  const [{ app }, list] = await Promise.all([
    client.get<{ app: AppRecord }>(at('')),
    client.get<ReleaseSummary[]>(at(`/releases?limit=${options.lines}`)),
  ]);
  if (options.json === true) printJson({ app, releases: list });
  else for (const line of releaseLines(app, list, Date.now(), terminalWidth())) print(line);
  return EXIT.ok;
}

/** What `releases` shows, newest first, no line wider than `width`. */
export function releaseLines(
  app: AppRecord,
  list: readonly ReleaseSummary[],
  nowMs: number,
  width: number,
): string[] {
  if (list.length === 0) return [`${app.id} has no releases yet.`];
  const rows = list.map((release) => [
    String(release.number),
    stateOf(release, app),
    formatDuration(Math.max(0, nowMs - release.createdAtMs)),
    printableLine(release.createdBy),
    printableLine(release.failure === null ? release.note : whyOf(release.failure)),
  ]);
  return formatTable(COLUMNS, rows, width, (cell, row) => {
    if (row === -1) return paint('dim', cell);
    if (list[row]!.number === app.serving) return paint('bold', cell);
    return list[row]!.state === 'failed' ? paint('red', cell) : cell;
  });
}

/** The component and what it did; without one, what happened: that a canary went back, say, and at which share. */
function whyOf({ component, message }: NonNullable<ReleaseSummary['failure']>): string {
  return component === null ? message.replace(/^The canary (went back)/, '$1') : `${component}: ${message}`;
}

function stateOf(release: ReleaseSummary, app: AppRecord): string {
  if (release.number === app.serving) return 'serves';
  if (release.number === app.canary?.release) return `canary ${app.canary.steps[app.canary.step] ?? 100}%`;
  return release.state;
}

import type { KeptAuditEntry } from '../../model/audit-store.ts';
import { connectToHost, connectToNewApp, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { formatTable, type Column } from '../table.ts';
import { paint, printableLine, terminalWidth, wrap } from '../terminal.ts';
import { dateTime } from '../when.ts';

export interface AuditOptions extends Target {
  readonly lines: number;
  readonly json?: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: 'WHEN' },
  { title: 'WHO', minWidth: 8 },
  { title: 'WHAT' },
  { title: 'APP', minWidth: 4 },
];
const INDENT = '  ';

export async function audit(options: AuditOptions): Promise<ExitCode> {
  const entries = await read(options);
  if (options.json) printJson(entries);
  else if (entries.length === 0) print('Nothing was changed yet.');
  else for (const line of auditLines(entries, terminalWidth())) print(line);
  return EXIT.ok;
}

async function read(options: AuditOptions): Promise<KeptAuditEntry[]> {
  const query = `limit=${options.lines}`;
  if (options.app === undefined) {
    const { client } = await connectToHost(options);
    return client.get(`/audit?${query}`);
  }
  const { client, at } = await connectToNewApp(options);
  return client.get(at(`/audit?${query}`));
}

/** What `audit` shows, the newest last as in a log, each with its details below it; no line wider than `width`. */
export function auditLines(entries: readonly KeptAuditEntry[], width: number): string[] {
  const shown = entries.toReversed();
  const rows = shown.map((entry) => [
    dateTime(entry.atMs),
    printableLine(entry.actor),
    entry.action,
    entry.app ?? '-',
  ]);
  const [titles, ...lines] = formatTable(COLUMNS, rows, width, (cell, row) =>
    row === -1 ? paint('dim', cell) : cell,
  );
  return [
    titles!,
    ...shown.flatMap((entry, i) => {
      const details = detailsOf(entry);
      const colour = entry.outcome === 'ok' ? 'dim' : 'red';
      const below = details === '' ? [] : wrap(details, width - INDENT.length);
      return [lines[i]!, ...below.map((line) => paint(colour, INDENT + line))];
    }),
  ];
}

/** How it ended where it did not end well, and the details by name: `release: 7, step: 1`. */
function detailsOf({ outcome, details }: KeptAuditEntry): string {
  const { error, ...more } = details;
  const failure = outcome === 'ok' ? [] : [`${outcome} (${typeof error === 'string' ? error : '?'})`];
  const named = Object.entries(more).flatMap(([key, value]) => {
    const text = valueText(key, value);
    return text === '' ? [] : [`${wordsOf(key)}: ${text}`];
  });
  return printableLine([...failure, ...named].join(', '));
}

/** `expiresAtMs` is `expires at`. */
function wordsOf(key: string): string {
  return key.replace(/Ms$/, '').replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function valueText(key: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map((item) => valueText('', item)).join(' ');
  if (typeof value === 'number' && key.endsWith('AtMs')) return dateTime(value).slice(0, 10);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

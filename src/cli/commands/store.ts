import { formatBytes } from '../../base/bytes.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { StoreTools } from '../../server/store-tools.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { formatTable } from '../table.ts';
import { paint, terminalWidth, wrap } from '../terminal.ts';

export interface StoreOptions {
  readonly data?: string;
  readonly json?: boolean;
}

export interface StoreCopyOptions {
  readonly from?: string;
  readonly to?: string;
  readonly json?: boolean;
}

export async function storeBackup(file: string, options: StoreOptions): Promise<ExitCode> {
  const tools = await storeTools();
  const report = await tools.backup(tools.placeOf(given(options)), file);
  if (options.json) printJson(report);
  else {
    print(`${paint('bold', report.store)} → ${report.file}, ${formatBytes(report.sizeBytes)}, checked`);
    printRows(report.rows);
    printLeftOut();
  }
  return EXIT.ok;
}

export async function storeRestore(file: string, options: StoreOptions): Promise<ExitCode> {
  const tools = await storeTools();
  const report = await tools.restore(tools.placeOf(given(options)), file);
  if (options.json) printJson(report);
  else {
    print(`${report.file}, ${formatBytes(report.sizeBytes)}, checked → ${paint('bold', report.store)}`);
    printRows(report.rows);
  }
  return EXIT.ok;
}

export async function storeCopy(options: StoreCopyOptions): Promise<ExitCode> {
  const from = place('--from', options.from, 'FULCRUM_FROM_URL');
  const to = place('--to', options.to, 'FULCRUM_TO_URL');
  const tools = await storeTools();
  const report = await tools.copy(tools.placeOf(from), tools.placeOf(to));
  if (options.json) printJson(report);
  else {
    print(`${report.from} → ${paint('bold', report.to)}, compared`);
    printRows(Object.fromEntries(report.tables.map(({ table, rows }) => [table, rows])));
    printLeftOut();
  }
  return EXIT.ok;
}

/** The store is loaded here alone; the other commands must not wait for it. */
async function storeTools(): Promise<StoreTools> {
  return (await import('../../server/store-tools.ts')).storeTools;
}

/** Which store is meant: by the option, else by the variable, which nobody else on the machine can read. */
function place(option: '--from' | '--to', given: string | undefined, variable: string): string {
  warnOfPassword(option, given, variable);
  const found = given ?? process.env[variable];
  if (found !== undefined && found !== '') return found;
  throw new FulcrumError(
    'usage',
    `Which store? Give ${option} PLACE, or a database's URL in the environment as ${variable}.`,
  );
}

function warnOfPassword(option: string, given: string | undefined, variable: string): void {
  if (given === undefined || !/^postgres(ql)?:/i.test(given)) return;
  const url = URL.parse(given);
  const has = url !== null && (url.password !== '' || url.searchParams.has('password'));
  if (!has) return;
  process.stderr.write(
    `warning: ${option} has a password, which other users of this machine can read while the command runs. Use PGPASSWORD or ${variable}, and change it if somebody may have.\n`,
  );
}

function given({ data }: StoreOptions): string {
  warnOfPassword('--data', data, 'DATABASE_URL');
  const place = data ?? process.env['DATABASE_URL'];
  if (place !== undefined && place !== '') return place;
  throw new FulcrumError(
    'usage',
    "Which store? Give the server's data folder (`--data DIR`), or the database's URL in the environment as DATABASE_URL.",
  );
}

/** A store is not all that a server has. */
function printLeftOut(): void {
  const text =
    'Not in it: what apps have stored (DATA/apps/*/storage), and the key of the secrets. Keep those yourself.';
  print('');
  for (const line of wrap(text, terminalWidth())) print(paint('yellow', line));
}

function printRows(rows: Readonly<Record<string, number>>): void {
  const lines = Object.entries(rows).map(([table, count]) => [table, count.toLocaleString('en')]);
  if (lines.length === 0) return;
  const columns = [{ title: 'TABLE' }, { title: 'ROWS', align: 'right' as const }];
  print('');
  for (const line of formatTable(columns, lines, terminalWidth())) print(line);
}

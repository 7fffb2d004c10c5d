import { FulcrumError } from '../../base/errors.ts';
import { chooseApp } from '../../control/choose-app.ts';
import type { AppRecord } from '../../model/app-record.ts';
import { connectToHost, type AppInList } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { formatTable, type Column } from '../table.ts';
import { paint, printableLine, terminalWidth, wrap } from '../terminal.ts';

interface Options {
  readonly url?: string;
  readonly json?: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: 'APP', minWidth: 12 },
  { title: 'RELEASE', align: 'right' },
  { title: 'CANARY' },
  { title: 'ANSWERS UNDER', minWidth: 16 },
];

export async function listApps(options: Options): Promise<ExitCode> {
  const { client } = await connectToHost(options);
  const apps = await client.get<AppInList[]>('/apps');
  if (options.json) printJson(apps);
  else if (apps.length === 0)
    print('There are no apps. `fulcrum deploy` in the folder of one brings it here.');
  else for (const line of appLines(apps, terminalWidth())) print(line);
  return EXIT.ok;
}

export async function routeApp(
  wanted: string,
  options: Options & { host?: readonly string[]; prefix?: string },
): Promise<ExitCode> {
  const { client } = await connectToHost(options);
  const { id } = chooseApp(await client.get<AppInList[]>('/apps'), wanted);
  const routing = { hosts: options.host ?? [], prefix: options.prefix ?? '' };
  const app = await client.put<AppRecord>(`/apps/${encodeURIComponent(id)}/routing`, routing);
  if (options.json) printJson(app);
  else print(`${id} answers under ${addressesOf(app)}.`);
  return EXIT.ok;
}

export async function removeApp(id: string, options: Options & { yes?: boolean }): Promise<ExitCode> {
  const { client } = await connectToHost(options);
  // By its whole id only: nobody means another environment by accident.
  const found = (await client.get<AppInList[]>('/apps')).find((app) => app.id === id);
  if (found === undefined) throw new FulcrumError('not-found', `There is no app of the id '${id}' there.`);
  if (options.yes !== true) await confirm(id);
  await client.delete(`/apps/${encodeURIComponent(id)}`);
  print(`Removed ${id}.`);
  return EXIT.ok;
}

async function confirm(id: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new FulcrumError(
      'usage',
      `This ends ${id} and removes its releases, secrets, usage and the files it has stored, for good. Say --yes to mean it.`,
    );
  }
  const { text, isCancel } = await import('@clack/prompts');
  const answer = await text({
    message: `This ends ${id}, and removes its releases, secrets, usage and the files it has stored, for good. Type its id to mean it`,
    output: process.stderr,
  });
  if (isCancel(answer) || answer !== id) process.exit(EXIT.interrupted);
}

/** What `apps ls` shows, no line wider than `width`. */
export function appLines(apps: readonly AppInList[], width: number): string[] {
  const rows = apps.map((app) => [
    app.id,
    app.serving === null ? '-' : String(app.serving),
    canaryOf(app),
    printableLine(addressesOf(app)),
  ]);
  const lines = formatTable(COLUMNS, rows, width, (cell, row) => (row === -1 ? paint('dim', cell) : cell));
  const down = apps
    .filter(({ running, serving }) => !running && serving !== null)
    .flatMap(({ id, startFailure }) =>
      wrap(
        printableLine(`Not running: ${id}${startFailure === null ? '' : `: ${startFailure.message}`}`),
        width,
      ),
    );
  return down.length === 0 ? lines : [...lines, '', ...down.map((line) => paint('red', line))];
}

function canaryOf({ canary }: AppRecord): string {
  return canary === null ? '-' : `${canary.release} (${canary.steps[canary.step] ?? 100}%)`;
}

function addressesOf({ hosts, prefix }: AppRecord): string {
  const all = hosts.length === 0 ? ['any other host'] : hosts;
  return all.map((host) => `${host}${hosts.length === 0 && prefix !== '' ? ' ' : ''}${prefix}`).join(' ');
}

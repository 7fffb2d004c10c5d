import { FulcrumError } from '../../base/errors.ts';
import { isVariableName } from '../../base/variable-name.ts';
import type { ForgottenKeys, KeyRotation, SecretName } from '../../control/secrets-port.ts';
import { connectToHost, connectToNewApp, type AppConnection, type Target } from '../connect.ts';
import { ServerSteps } from '../deploy/server-steps.ts';
import { StepList } from '../deploy/step-list.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readSecret } from '../read-secret.ts';
import { print, printJson } from '../stdout.ts';
import { formatTable, type Column } from '../table.ts';
import { paint, printableLine, terminalWidth, wrap } from '../terminal.ts';
import { dateTime, relativeTime } from '../when.ts';

interface Options extends Target {
  readonly json?: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: 'NAME', minWidth: 12 },
  { title: 'SET' },
  { title: 'AT', dropOrder: 1 },
];

export async function setSecret(name: string, options: Options & { apply?: boolean }): Promise<ExitCode> {
  if (!isVariableName(name)) {
    throw new FulcrumError(
      'usage',
      'A secret’s name has letters, digits and _, and begins with no digit. Its value comes from standard input, or is asked for.',
    );
  }
  const connection = await connectToNewApp(options);
  const { client, app, at } = connection;
  const value = await readSecret(name);
  const { appExists } = await client.put<{ appExists: boolean }>(at(`/secrets/${encodeURIComponent(name)}`), {
    value,
  });
  const applied = options.apply === true && appExists;
  if (applied) await apply(connection, options.json === true);
  if (options.json) printJson({ app, name, applied });
  else say(`Set ${name} of ${app}. ${whenUsed(appExists, applied)}`);
  return EXIT.ok;
}

export async function listSecrets(options: Options): Promise<ExitCode> {
  const { client, app, at } = await connectToNewApp(options);
  const secrets = await client.get<SecretName[]>(at('/secrets'));
  if (options.json) printJson(secrets);
  else if (secrets.length === 0) print(`${app} has no secrets.`);
  else for (const line of secretLines(secrets, Date.now(), terminalWidth())) print(line);
  return EXIT.ok;
}

export async function removeSecret(name: string, options: Options & { force?: boolean }): Promise<ExitCode> {
  const { client, app, at } = await connectToNewApp(options);
  const force = options.force === true;
  await client.delete(at(`/secrets/${encodeURIComponent(name)}${force ? '?force=true' : ''}`));
  const what = force
    ? 'What runs keeps it until it is started again; where its config names it, it does not start.'
    : 'A deploy whose config names it is refused from now on.';
  say(`Removed ${name} of ${app}. ${what}`);
  return EXIT.ok;
}

export async function rotateKey(options: Options): Promise<ExitCode> {
  const { client } = await connectToHost(options);
  const rotation = await client.post<KeyRotation>('/secrets/rotate', {});
  if (options.json) printJson(rotation);
  else {
    const { keyId, resealed, unopened } = rotation;
    const what = resealed === 1 ? '1 secret was' : `${resealed} secrets were`;
    say(
      `The key is ${keyId} now; ${what} sealed with it. Keep a copy of the key file again. It has the key of before too, for older backups; \`fulcrum secrets forget-keys\` takes it out.`,
    );
    if (unopened.length > 0) {
      say(
        `These do not open, and are as they were; set them again, or give the server their key: ${unopened.join(', ')}.`,
      );
    }
  }
  return rotation.unopened.length > 0 ? EXIT.failed : EXIT.ok;
}

export async function forgetKeys(options: Options): Promise<ExitCode> {
  const { client } = await connectToHost(options);
  const answer = await client.post<ForgottenKeys>('/secrets/forget-keys', {});
  if (options.json) printJson(answer);
  else {
    const { keyId, forgotten, kept } = answer;
    say(
      forgotten.length === 0
        ? 'There was no key to forget.'
        : `Forgotten: ${forgotten.join(', ')}. Backups from before ${keyId} cannot be opened any more, but with a copy of the key file.`,
    );
    if (kept.length > 0) say(`Secrets are still sealed with ${kept.join(', ')}, and do not open.`);
  }
  return EXIT.ok;
}

async function apply({ client, at }: AppConnection, quiet: boolean): Promise<void> {
  const list = quiet ? null : new StepList();
  const shown = list === null ? null : new ServerSteps(list);
  await client.steps(at('/reload'), {}, (step) => shown?.show(step)).finally(() => list?.end());
}

function whenUsed(appExists: boolean, applied: boolean): string {
  if (applied) return 'What runs has it now.';
  if (!appExists) return 'There is no such app yet: it waits for its first deploy.';
  return 'It is used from the next deploy or restart on; with --apply at once.';
}

function say(text: string): void {
  for (const line of wrap(printableLine(text), terminalWidth())) print(line);
}

/** What `secrets ls` shows, no line wider than `width`. */
export function secretLines(secrets: readonly SecretName[], nowMs: number, width: number): string[] {
  const rows = secrets.map(({ name, updatedAtMs }) => [
    name,
    relativeTime(updatedAtMs, nowMs),
    dateTime(updatedAtMs),
  ]);
  return formatTable(COLUMNS, rows, width, (cell, row) => (row === -1 ? paint('dim', cell) : cell));
}

import { FulcrumError } from '../../base/errors.ts';
import { connectToApp, type Target } from '../connect.ts';
import { ServerSteps } from '../deploy/server-steps.ts';
import { StepList } from '../deploy/step-list.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { paint } from '../terminal.ts';

export interface RollbackOptions extends Target {
  readonly json?: boolean;
}

/** @param to a release's number; without, the newest healthy one before the one that serves. */
export async function rollback(to: string | undefined, options: RollbackOptions): Promise<ExitCode> {
  const number = to === undefined ? null : releaseNumber(to);
  const { client, app, at } = await connectToApp(options);
  const list = options.json === true ? null : new StepList();
  const shown = list === null ? null : new ServerSteps(list);
  const release = await client
    .steps(at('/rollback'), { to: number }, (step) => shown?.show(step))
    .finally(() => list?.end());
  if (options.json === true) printJson({ app, release });
  else print(`${paint('bold', app)}: release ${release.number} serves again.`);
  return EXIT.ok;
}

/** Throws `usage` where `text` is none. */
export function releaseNumber(text: string): number {
  const number = Number(text.replace(/^#/, ''));
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new FulcrumError('usage', `'${text}' is no number of a release. \`fulcrum releases\` lists them.`);
}

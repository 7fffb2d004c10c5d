import { FulcrumError } from '../../base/errors.ts';
import type { AppRecord } from '../../model/app-record.ts';
import { connectToApp, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { paint } from '../terminal.ts';

export interface CanaryCommandOptions extends Target {
  readonly json?: boolean;
}

export async function canary(how: string, options: CanaryCommandOptions): Promise<ExitCode> {
  if (how !== 'promote' && how !== 'abort') {
    throw new FulcrumError('usage', `'${how}' is not what can be done with a canary: promote or abort.`);
  }
  const { client, app, at } = await connectToApp(options);
  const record = await client.post<AppRecord>(at(`/canary/${how}`), {});
  if (options.json === true) printJson(record);
  else print(`${paint('bold', app)}: release ${record.serving ?? '-'} has all the traffic.`);
  return EXIT.ok;
}

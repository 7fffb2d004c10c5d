import type { CapacityReport } from '../../model/capacity.ts';
import { capacityLines } from '../capacity-lines.ts';
import { connectToApp, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { terminalWidth } from '../terminal.ts';

export interface CapacityOptions extends Target {
  readonly json?: boolean;
  readonly days: number;
}

export async function capacity(options: CapacityOptions): Promise<ExitCode> {
  const { client, at } = await connectToApp(options);
  const report = await client.get<CapacityReport>(at(`/capacity?days=${options.days}`));
  if (options.json === true) printJson(report);
  else for (const line of capacityLines(report, terminalWidth())) print(line);
  return EXIT.ok;
}

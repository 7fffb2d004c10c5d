import { FulcrumError } from '../../base/errors.ts';
import { formatDuration } from '../../base/duration.ts';
import { nearest } from '../../base/suggest.ts';
import type { ModeChange } from '../../control/port.ts';
import { connectToServer } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { paint } from '../terminal.ts';

export interface ModeOptions {
  readonly app?: string;
  readonly json?: boolean;
}

const MODES = ['function', 'service', 'auto'];

export async function mode(component: string, wanted: string, options: ModeOptions): Promise<ExitCode> {
  if (!MODES.includes(wanted)) {
    const likely = nearest(wanted, MODES);
    throw new FulcrumError(
      'usage',
      `'${wanted}' is no mode.${likely === null ? '' : ` Did you mean '${likely}'?`} There are: ${MODES.join(', ')}.`,
    );
  }
  const { client } = await connectToServer(options.app);
  const path = `/components/${encodeURIComponent(component)}/mode`;
  const change = await client.post<ModeChange>(path, { mode: wanted });
  if (options.json) printJson(change);
  else print(modeLine(change, wanted));
  return EXIT.ok;
}

function modeLine(change: ModeChange, wanted: string): string {
  const auto = wanted === 'auto' ? ' (auto)' : '';
  const name = paint('bold', change.component);
  if (change.from === change.to) return `${name} is a ${change.to}${auto}`;
  return `${name}: ${change.from} → ${change.to}${auto} in ${formatDuration(change.tookMs)}`;
}

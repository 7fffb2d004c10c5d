import type { ExitCode } from '../exit-codes.ts';
import { runDev, type DevOptions } from '../run-dev.ts';

export async function dev(directory: string, options: DevOptions): Promise<ExitCode> {
  // The server is loaded here alone; the other commands must not wait for it.
  const { startDev } = await import('../../server/dev.ts');
  return runDev(directory, options, startDev);
}

import { resolve } from 'node:path';
import { systemClock } from '../base/clock.ts';
import type { DevOptions as StartOptions, DevServer } from '../server/dev.ts';
import { budgetAsked, type BudgetFlags } from './budget-flags.ts';
import { DevPrinter } from './dev-printer.ts';
import { EndRequests } from './end-requests.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { paint } from './terminal.ts';
import { packageVersion } from '../base/version.ts';

export interface DevOptions extends BudgetFlags {
  readonly port: number | null;
  readonly adminPort: number | null;
  readonly environment: string;
  readonly inspect?: string;
}

/** Runs until SIGINT, SIGTERM or SIGHUP, then ends the server in order; a second one ends the process at once. */
export async function runDev(
  directory: string,
  options: DevOptions,
  startDev: (options: StartOptions) => Promise<DevServer>,
): Promise<ExitCode> {
  const printer = new DevPrinter(packageVersion());
  const asked = askedToEnd();
  // Asked to end while it still starts, it is up for a moment: only what has started can be ended in order.
  const server = await startDev({
    directory: resolve(directory),
    environment: options.environment,
    port: options.port,
    adminPort: options.adminPort,
    inspect: options.inspect ?? null,
    budget: budgetAsked(options, process.env),
    onEvent: (event) => printer.show(event),
  });
  await asked;
  process.stderr.write(`${paint('dim', 'Ending; Ctrl-C again ends at once.', process.stderr)}\n`);
  await server.close();
  return EXIT.ok;
}

function askedToEnd(): Promise<void> {
  return new Promise((resolve) => {
    const requests = new EndRequests(systemClock);
    const onSignal = (): void => {
      const meaning = requests.next();
      if (meaning === 'end-in-order') resolve();
      if (meaning === 'end-now') process.exit(EXIT.interrupted);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  });
}

import { setImmediate } from 'node:timers/promises';
import { billReport, type BillRequest } from '../../advisor/billing/bill-report.ts';
import { chargesOf } from '../../advisor/billing/charges.ts';
import { unitDaysInSteps, type UnitDays } from '../../advisor/billing/unit-days.ts';
import { readOwnUsage } from '../../advisor/own/read-own-usage.ts';
import type { OwnUsage } from '../../advisor/own/own-usage.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { MachinePrice } from '../../model/advice-facts.ts';
import type { BillReport } from '../../model/bill-report.ts';
import type { BudgetStatus } from '../../model/status.ts';
import { billBooks } from '../bill-books.ts';
import { billLines } from '../bill-lines.ts';
import type { MachineSaid } from '../bill-options.ts';
import { connectToApp, type AppConnection, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { spanOf, type Moment } from '../moments.ts';
import type { ProgressBar } from '../progress-bar.ts';
import { print, printJson } from '../stdout.ts';
import { terminalWidth } from '../terminal.ts';
import { writeLines } from '../whole-text.ts';
import { focusHead, focusLines } from '../../meter/focus.ts';
import { refuseUnknownLines } from '../known-lines.ts';
import { usageLines } from '../usage-lines.ts';
import { withReadingBar } from '../usage-progress.ts';
import { withBar } from '../with-bar.ts';

export interface BillCommandOptions extends Target {
  readonly book?: readonly string[];
  readonly since?: Moment;
  readonly until?: Moment;
  readonly by: BillReport['by'];
  readonly freeTier?: boolean;
  readonly without?: readonly string[];
  readonly machine?: MachineSaid;
  readonly lines?: boolean;
  readonly focus?: string;
  readonly seed: number;
  readonly json?: boolean;
}

const GB = 1024 ** 3;

/** What an app used, what that cost, and what it would have cost in the other mode. */
export async function bill(options: BillCommandOptions): Promise<ExitCode> {
  const span = spanOf(options);
  if (options.json === true && options.focus === '-')
    throw new FulcrumError('usage', 'Both --json and --focus - go to standard output: give --focus a file.');
  // A book that is none is told before anything is asked for.
  billBooks(options.book, null, null);
  const connection = await connectToApp(options);
  const { usage, units } = await withBar(async (bar) => {
    const lines = usageLines(connection, { ...span, component: null, facts: true });
    const read = await readOwnUsage(withReadingBar(lines, bar));
    return { usage: read, units: await replayed(read, options.seed, bar) };
  });
  const machine = options.machine === undefined ? null : await machineOf(options.machine, connection, usage);
  const books = billBooks(options.book, machine, usage.settings);
  const { by, freeTier = false, without = [], seed } = options;
  refuseUnknownLines(without, books);
  const request = { books, by, freeTier, without, seed };
  const { focus } = options;
  if (focus !== undefined) {
    const count = await writeLines(focus === '-' ? null : focus, focusOf(usage, request, units));
    if (focus === '-') return EXIT.ok;
    process.stderr.write(`${focus}: ${(count - 1).toLocaleString('en-GB')} charges\n`);
  }
  const report = billReport(usage, request, units);
  if (options.json === true) printJson(report);
  else for (const line of billLines(report, terminalWidth(), options.lines === true)) print(line);
  return EXIT.ok;
}

/** A turn of the event loop between days, so that whoever interrupts it is heard. */
async function replayed(
  usage: OwnUsage,
  seed: number,
  bar: Pick<ProgressBar, 'set'>,
): Promise<readonly UnitDays[]> {
  const steps = unitDaysInSteps(usage, seed);
  for (;;) {
    const { value, done } = steps.next();
    if (done === true) return value;
    bar.set('Replaying', value);
    await setImmediate();
  }
}

function* focusOf(usage: OwnUsage, request: BillRequest, units: readonly UnitDays[]): Generator<string> {
  yield focusHead();
  const { app, environment } = usage;
  for (const charge of chargesOf(usage, request, units)) yield* focusLines({ app, environment, ...charge });
}

/** Of whatever size is not said: that of the app's settings, or of the machine that serves. */
async function machineOf(
  { perMonth, currency, size }: MachineSaid,
  { client }: AppConnection,
  { settings }: OwnUsage,
): Promise<MachinePrice> {
  if (size !== null) return { perMonth, currency, ...size };
  if (settings !== null && settings.machine !== null) {
    const { vcpu, gb } = settings.machine;
    return { perMonth, currency, vcpu, gb };
  }
  const { budget } = await client.get<{ readonly budget: BudgetStatus | null }>('/server');
  if (budget === null)
    throw new FulcrumError(
      'usage',
      'Say how large the machine is: --machine 40/month,4,8 for 4 vCPUs and 8 GB.',
    );
  return { perMonth, currency, vcpu: budget.cpus, gb: budget.memoryBytes / GB };
}

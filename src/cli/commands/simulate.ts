import type { Format } from '../../advisor/traffic/formats.ts';
import type { Generated } from '../../advisor/traffic/generate.ts';
import { logNormalOf } from '../../advisor/traffic/durations.ts';
import { compareInThread } from '../../advisor/comparison/thread.ts';
import type { ComparisonRequest } from '../../advisor/comparison/request.ts';
import { formatDuration } from '../../base/duration.ts';
import { FulcrumError } from '../../base/errors.ts';
import { openBook, shippedBooks } from '../../meter/price-book.ts';
import type { PriceBook } from '../../model/price-book.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { ProgressBar } from '../progress-bar.ts';
import { simulateLines } from '../simulate-lines.ts';
import type { TwoQuantiles } from '../simulate-options.ts';
import { print, printJson } from '../stdout.ts';
import { terminalWidth } from '../terminal.ts';

export interface SimulateOptions {
  readonly format?: Format;
  readonly generate?: Generated;
  readonly mode: 'function' | 'service' | 'both';
  readonly book?: readonly string[];
  readonly memory?: number;
  readonly duration?: TwoQuantiles;
  readonly cpu: number;
  readonly coldStart?: TwoQuantiles;
  readonly keepAlive: number;
  readonly concurrency?: number;
  readonly byPath: number;
  readonly freeTier?: boolean;
  readonly without?: readonly string[];
  readonly explain?: boolean;
  readonly strict?: boolean;
  readonly seed: number;
  readonly json?: boolean;
}

const DEFAULT_BOOKS = ['aws-lambda-x86', 'aws-fargate-x86'];
const DEFAULT_DURATION: TwoQuantiles = { p50Ms: 100, p99Ms: 1_000 };
const STEPS = { reading: 'Reading', replaying: 'Replaying', pricing: 'Pricing' } as const;

export async function simulate(files: readonly string[], options: SimulateOptions): Promise<ExitCode> {
  if (files.length === 0 && options.generate === undefined) {
    throw new FulcrumError(
      'usage',
      'Give the files of a trace, or --generate. `fulcrum simulate --help` shows how.',
    );
  }
  if (files.length > 0 && options.generate !== undefined) {
    throw new FulcrumError('usage', 'Give either the files of a trace or --generate, not both.');
  }
  const bar = new ProgressBar();
  // Whoever interrupts it must not find half a bar before their prompt.
  const clear = (): void => bar.clear();
  process.once('exit', clear);
  try {
    const comparison = await compareInThread(requestOf(files, options), ({ step, done, total }) =>
      bar.set(STEPS[step], total === 0 ? 0 : done / total),
    );
    bar.clear();
    if (options.json === true) printJson(comparison);
    else {
      for (const line of simulateLines(comparison, terminalWidth(), options.explain === true)) print(line);
    }
  } finally {
    bar.clear();
    process.off('exit', clear);
  }
  return EXIT.ok;
}

function requestOf(files: readonly string[], options: SimulateOptions): ComparisonRequest {
  const { p50Ms, p99Ms } = options.duration ?? DEFAULT_DURATION;
  return {
    paths: files,
    generated: options.generate ?? null,
    format: options.format ?? null,
    strict: options.strict === true,
    seed: options.seed,
    pathSegments: options.byPath,
    cpuShare: options.cpu,
    durations: {
      distribution: logNormalOf(p50Ms, p99Ms),
      text: `p50 ${formatDuration(p50Ms)}, p99 ${formatDuration(p99Ms)}`,
    },
    modes: options.mode === 'both' ? ['function', 'service'] : [options.mode],
    books: booksOf(options.book ?? DEFAULT_BOOKS),
    memoryBytes: options.memory ?? null,
    coldStart: options.coldStart ?? null,
    keepAliveMs: options.keepAlive,
    concurrency: { function: options.concurrency ?? 1, service: options.concurrency ?? 100 },
    freeTier: options.freeTier === true,
    without: options.without ?? [],
  };
}

/** Each once, in the order given. */
function booksOf(names: readonly string[]): PriceBook[] {
  const books = names.flatMap((name) => (name === 'all' ? shippedBooks() : [openBook(name)]));
  return [...new Map(books.map((book) => [book.id, book])).values()];
}

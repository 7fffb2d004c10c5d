import type { Format } from '../../advisor/traffic/formats.ts';
import type { Generated } from '../../advisor/traffic/generate.ts';
import { logNormalOf } from '../../advisor/traffic/durations.ts';
import { compareInThread } from '../../advisor/comparison/thread.ts';
import type { ComparisonRequest } from '../../advisor/comparison/request.ts';
import { formatDuration } from '../../base/duration.ts';
import { FulcrumError } from '../../base/errors.ts';
import { openBook, shippedBooks } from '../../meter/price-book.ts';
import type { PriceBook } from '../../model/price-book.ts';
import { refuseUnknownLines } from '../known-lines.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { withOwnTrace, type OwnTraceOptions } from '../own-trace.ts';
import { simulateLines } from '../simulate-lines.ts';
import type { TwoQuantiles } from '../simulate-options.ts';
import { print, printJson } from '../stdout.ts';
import { terminalWidth } from '../terminal.ts';
import { withBar } from '../with-bar.ts';

export interface SimulateOptions extends OwnTraceOptions {
  readonly format?: Format;
  readonly generate?: Generated;
  readonly mode: 'function' | 'service' | 'both';
  readonly book?: readonly string[];
  readonly memory?: number;
  readonly duration?: TwoQuantiles;
  readonly cpu: number;
  readonly coldStart?: TwoQuantiles;
  readonly keepAlive?: number;
  readonly concurrency?: number;
  readonly byPath: number;
  readonly freeTier?: boolean;
  readonly without?: readonly string[];
  readonly providerCpu?: boolean;
  readonly explain?: boolean;
  readonly strict?: boolean;
  readonly seed: number;
  readonly json?: boolean;
}

const DEFAULT_BOOKS = ['aws-lambda-x86', 'aws-fargate-x86'];
const DEFAULT_DURATION: TwoQuantiles = { p50Ms: 100, p99Ms: 1_000 };
const STEPS = { reading: 'Reading', replaying: 'Replaying', pricing: 'Pricing' } as const;

export async function simulate(files: readonly string[], options: SimulateOptions): Promise<ExitCode> {
  if (files.length > 0 && options.generate !== undefined) {
    throw new FulcrumError('usage', 'Give either the files of a trace or --generate, not both.');
  }
  if (files.length > 0 || options.generate !== undefined) {
    const unused = (['app', 'url', 'since', 'until'] as const).find((name) => options[name] !== undefined);
    if (unused === undefined) return replay(files, options);
    throw new FulcrumError(
      'usage',
      `--${unused} is for an app's own usage, and not for files or made-up traffic.`,
    );
  }
  return withOwnTrace(options, (path) => replay([path], { ...options, format: 'fulcrum' }));
}

async function replay(files: readonly string[], options: SimulateOptions): Promise<ExitCode> {
  const comparison = await withBar((bar) =>
    compareInThread(requestOf(files, options), ({ step, done, total }) =>
      bar.set(STEPS[step], total === 0 ? 0 : done / total),
    ),
  );
  if (options.json === true) printJson(comparison);
  else for (const line of simulateLines(comparison, terminalWidth(), options.explain === true)) print(line);
  return EXIT.ok;
}

function requestOf(files: readonly string[], options: SimulateOptions): ComparisonRequest {
  const { p50Ms, p99Ms } = options.duration ?? DEFAULT_DURATION;
  const books = booksOf(options.book ?? DEFAULT_BOOKS);
  refuseUnknownLines(options.without ?? [], books);
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
    books,
    memoryBytes: options.memory ?? null,
    coldStart: options.coldStart ?? null,
    keepAliveMs: options.keepAlive ?? null,
    concurrency: { function: options.concurrency ?? null, service: options.concurrency ?? null },
    providerCpu: options.providerCpu === true,
    freeTier: options.freeTier === true,
    without: options.without ?? [],
  };
}

/** Each once, in the order given. */
function booksOf(names: readonly string[]): PriceBook[] {
  const books = names.flatMap((name) => (name === 'all' ? shippedBooks() : [openBook(name)]));
  return [...new Map(books.map((book) => [book.id, book])).values()];
}

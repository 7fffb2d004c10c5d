import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { compare } from '../src/advisor/comparison/compare.ts';
import { logNormalOf } from '../src/advisor/traffic/durations.ts';
import { shippedBooks } from '../src/meter/price-book.ts';
import { rowOf, type Row } from './benchmark.ts';

const FILES = ['invocations', 'durations', 'memory'].map((name) => `azure2019-500-${name}.csv`);
const MOST_S = 10;

/** 500 functions of Azure with 3 million invocations, read, replayed in both modes and priced under all books, as `fulcrum simulate` does it. */
export async function azureRows(
  folder: string | undefined,
  quick: boolean,
  note: (text: string) => void,
): Promise<Row[]> {
  const paths = FILES.map((file) => join(folder ?? '', file));
  if (folder === undefined || !paths.every((path) => existsSync(path))) {
    note(`FULCRUM_TRACES names no folder with ${FILES.join(', ')}: left out`);
    return [];
  }
  const books = quick ? shippedBooks().slice(0, 2) : shippedBooks();
  const cpu = process.threadCpuUsage();
  const begunMs = performance.now();
  const { trace } = await compare({
    paths,
    generated: null,
    format: null,
    strict: true,
    seed: 1,
    pathSegments: 0,
    cpuShare: 1,
    durations: { distribution: logNormalOf(100, 1_000), text: 'p50 100ms, p99 1s' },
    modes: ['function', 'service'],
    books,
    memoryBytes: null,
    coldStart: null,
    keepAliveMs: null,
    concurrency: { function: null, service: null },
    providerCpu: false,
    freeTier: false,
    without: [],
  });
  const wallS = (performance.now() - begunMs) / 1_000;
  const { user, system } = process.threadCpuUsage(cpu);
  const metric = `Azure 2019, both modes, ${books.length} books`;
  const row = (name: string, value: number, unit: string, max?: number): Row =>
    rowOf('simulator', { name, metric, value, unit, ...(max === undefined ? {} : { target: { max } }) });
  return [
    row('invocations', trace.arrivals, ''),
    // Other programs have their part of the machine's time: what the processor gave is told beside it.
    row('read, replayed, priced', wallS, 's', MOST_S),
    row('of which CPU', (user + system) / 1e6, 's', MOST_S),
  ];
}

import { rowOf, type Row, type RunOptions } from './benchmark.ts';
import { LineProcess } from './line-process.ts';
import type { LoadJob, LoadResult } from './load-run.ts';
import { peakBytes, residentBytes } from './memory.ts';
import { ServerProcess } from './server-process.ts';

const MB = 1024 * 1024;
const GOOD_CONNECTIONS = 8;

interface SlowLoad {
  readonly open: number;
  readonly opened: number;
  readonly refused: number;
}

/**
 * What thousands of slow clients do to those that are not: a quarter connect and say nothing, a quarter send their head and a quarter
 * their body a byte a second, a quarter ask for a megabyte and read none of it.
 */
export async function slowClients({ quick, note }: RunOptions): Promise<Row[]> {
  const [clients, durationMs] = quick ? [200, 1_000] : [10_000, 15_000];
  const fulcrum = await ServerProcess.start('fulcrum-server.ts');
  const load = await LineProcess.start('load.ts');
  const slow = await LineProcess.start('slow-load.ts');
  try {
    const url = `${fulcrum.url}/service`;
    const good: LoadJob = { url, connections: GOOD_CONNECTIONS, durationMs, pauseMs: 2 };
    await load.ask({ ...good, durationMs: durationMs / 4 });
    note(`${GOOD_CONNECTIONS} good clients alone, ${durationMs} ms`);
    const quiet = await load.ask<LoadResult>(good);
    const pids = await fulcrum.pids();
    const before = residentBytes(pids);
    note(`${clients} slow ones come`);
    const opened = await slow.ask<SlowLoad>({ url, count: clients });
    note(`${opened.open} of them are open; the good ones again`);
    const { result: loaded, peak } = await peakBytes(pids, () => load.ask<LoadResult>(good));
    const held = await slow.ask<SlowLoad>({ url, count: 0 });
    const name = `${clients} slow clients`;
    const row = (metric: string, value: number, unit: string): Row =>
      rowOf('gateway', { name, metric, value, unit });
    const compared = (metric: string, pick: (result: LoadResult) => number, max: number): Row[] => [
      rowOf('gateway', { name: 'quiet', metric, value: pick(quiet), unit: 'ms' }),
      rowOf('gateway', {
        name,
        metric,
        value: pick(loaded),
        unit: 'ms',
        over: { name: 'quiet', value: pick(quiet) },
        target: { max },
      }),
    ];
    return [
      ...compared('good clients p50', (r) => r.p50Ms, 3),
      ...compared('good clients p99', (r) => r.p99Ms, 3),
      row('good clients failed', loaded.failed, ''),
      row('slow ones open at the end', held.open, ''),
      rowOf('gateway', {
        name,
        metric: 'memory growth',
        value: (peak - before) / MB,
        unit: 'MB',
        target: { max: 512 },
      }),
      row('memory per slow client', (peak - before) / 1_024 / clients, 'KB'),
    ];
  } finally {
    await slow.stop();
    await load.stop();
    await fulcrum.stop();
  }
}

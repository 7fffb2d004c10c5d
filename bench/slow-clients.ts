import { setTimeout } from 'node:timers/promises';
import { DEFAULT_LIMITS } from '../src/gateway/limits.ts';
import { rowOf, type Row, type RunOptions } from './benchmark.ts';
import { LineProcess } from './line-process.ts';
import type { LoadJob, LoadResult } from './load-run.ts';
import { openDescriptors, peakBytes, residentBytes } from './memory.ts';
import { ServerProcess } from './server-process.ts';

const MB = 1024 * 1024;
const GOOD_CONNECTIONS = 8;
const PER_ADDRESS = 500;
const TOO_MANY = DEFAULT_LIMITS.maxConnectionsPerClient + 500;

interface SlowLoad {
  /** By the server, as far as they noticed: one that does not read does not. They come back after a second. */
  readonly cut: number;
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
    const connections = new Connections(pids[0]!);
    note(`${clients} slow ones come`);
    const { result: loaded, peak } = await peakBytes(pids, async () => {
      await slow.ask<SlowLoad>({ url, count: clients, perAddress: PER_ADDRESS });
      note(`${connections.open} of them are open; the good ones again`);
      return await load.ask<LoadResult>(good);
    });
    const open = connections.open;
    const { cut } = await slow.ask<SlowLoad>({ url, count: 0, perAddress: PER_ADDRESS });
    await slow.stop();
    const one = quick ? [] : [await fromOneAddress(url, connections, note)];
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
      row('slow ones open at the end', open, ''),
      ...one,
      row('slow ones cut, to come again', cut, ''),
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

/** More than one address may have: the last of them must not stay. */
async function fromOneAddress(url: string, connections: Connections, note: RunOptions['note']): Promise<Row> {
  await connections.fallTo(0);
  note(`${TOO_MANY} slow ones from one address`);
  const slow = await LineProcess.start('slow-load.ts');
  try {
    await slow.ask({ url, count: TOO_MANY, perAddress: TOO_MANY });
    await connections.fallTo(DEFAULT_LIMITS.maxConnectionsPerClient);
    return rowOf('gateway', {
      name: `${TOO_MANY} from one address`,
      metric: 'slow ones open at the end',
      value: connections.open,
      unit: '',
      target: { max: DEFAULT_LIMITS.maxConnectionsPerClient },
    });
  } finally {
    await slow.stop();
  }
}

/** The server's connections beyond those of a quiet moment, by its descriptors: clients may not know that they were cut. */
class Connections {
  readonly #pid: number;
  readonly #quiet: number;

  constructor(pid: number) {
    this.#pid = pid;
    this.#quiet = openDescriptors(pid);
  }

  get open(): number {
    return openDescriptors(this.#pid) - this.#quiet;
  }

  /** Until there are so many at most, but not for ever: what is found then is the finding. */
  async fallTo(count: number): Promise<void> {
    for (let tries = 0; tries < 50 && this.open > count; tries++) await setTimeout(100);
  }
}

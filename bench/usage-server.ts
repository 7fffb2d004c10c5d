import { rowOf, type Row, type RunOptions, type Target } from './benchmark.ts';
import { LineProcess } from './line-process.ts';
import type { LoadJob, LoadResult } from './load-run.ts';
import { median } from './statistics.ts';

const CONNECTIONS = 32;
const WARM_UP_MS = 150;
const PATHS = [
  { name: 'warm service', path: '/service' },
  { name: 'warm function', path: '/warm' },
] as const;

interface Server {
  readonly url: string;
}

/**
 * What metering costs of a warm request's CPU in the server: the same server with and without, in turn, so that what else the machine does
 * falls on both alike.
 * @param recordNs what `record()` by itself costs.
 */
export async function meteringCost({ quick, note }: RunOptions, recordNs: number): Promise<Row[]> {
  const [rounds, durationMs] = quick ? [1, 200] : [25, 300];
  const load = await LineProcess.start('load.ts');
  const server = await LineProcess.start<Server>('metered-server.ts').catch(async (error: unknown) => {
    await load.stop();
    throw error;
  });
  try {
    const rows: Row[] = [];
    for (const { name, path } of PATHS) {
      note(`${name}, metered and not: ${rounds} rounds of 4 × ${durationMs} ms`);
      const ask = async (forMs: number): Promise<LoadResult> => {
        const job: LoadJob = { url: server.hello.url + path, connections: CONNECTIONS, durationMs: forMs };
        const result = await load.ask<LoadResult>(job);
        if (result.failed > 0) throw new Error(`${name}: ${result.failed} of ${result.requests} failed.`);
        return result;
      };
      await ask(WARM_UP_MS * 5);
      const used = async (metered: boolean): Promise<number> =>
        (await server.ask<{ cpuUs: number }>({ metered })).cpuUs;
      const cpuUs = async (metered: boolean): Promise<number> => {
        await used(metered);
        // The code that was made for the other must have gone.
        await ask(WARM_UP_MS);
        const beforeUs = await used(metered);
        const { requests } = await ask(durationMs);
        return ((await used(metered)) - beforeUs) / requests;
      };
      const found: { readonly withoutUs: number; readonly withUs: number }[] = [];
      for (let round = 0; round < rounds; round++) {
        // Without, with, with, without: what grows or falls meanwhile falls on both alike.
        const [a, b, c, d] = [await cpuUs(false), await cpuUs(true), await cpuUs(true), await cpuUs(false)];
        found.push({ withoutUs: (a + d) / 2, withUs: (b + c) / 2 });
      }
      const withUs = median(found.map((one) => one.withUs));
      const row = (metric: string, value: number, unit: string, target?: Target): Row =>
        rowOf('usage', { name, metric, value, unit, ...(target && { target }) });
      rows.push(
        row("server's CPU", withUs, 'µs/req'),
        row('of it for metering', (median(found.map(shareOf)) - 1) * 100, '%', { max: 5 }),
        row('of it for record()', (recordNs / 1_000 / withUs) * 100, '%', { max: 5 }),
      );
    }
    return rows;
  } finally {
    await server.stop();
    await load.stop();
  }
}

function shareOf({ withoutUs, withUs }: { readonly withoutUs: number; readonly withUs: number }): number {
  return withUs / withoutUs;
}

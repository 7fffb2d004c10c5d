import { rowOf, type Benchmark, type Row } from './benchmark.ts';
import { LineProcess } from './line-process.ts';
import type { LoadJob, LoadResult } from './load-run.ts';
import { ServerProcess } from './server-process.ts';
import { interleaved, median } from './statistics.ts';

/** Between two requests, so that an instance without keep-alive is gone and the next request is cold. */
const PAUSE_MS = 20;

export const cold: Benchmark = {
  name: 'cold',
  about: 'a new process for every request: functions, over a bare node',
  async run({ quick, note }) {
    const [rounds, count] = quick ? [1, 8] : [5, 40];
    const load = await LineProcess.start('load.ts');
    const servers: ServerProcess[] = [];
    try {
      const bare = await ServerProcess.start('cgi-server.ts');
      servers.push(bare);
      const fulcrum = await ServerProcess.start('fulcrum-server.ts');
      servers.push(fulcrum);
      const subjects = [
        { name: 'bare node per request', url: `${bare.url}/` },
        { name: 'function, fresh', url: `${fulcrum.url}/fresh` },
        { name: 'function, keep-alive 0', url: `${fulcrum.url}/ending` },
      ];
      note(`${rounds} rounds of ${count} requests, one after the other, for each of ${subjects.length}`);
      // Once each without measuring: what is read from disk is in memory afterwards.
      for (const { url } of subjects) await load.ask({ url, connections: 1, count: 1 } satisfies LoadJob);
      const measured = await interleaved(rounds, subjects, async ({ name, url }) => {
        const job: LoadJob = { url, connections: 1, count, onlyCold: true, pauseMs: PAUSE_MS };
        const result = await load.ask<LoadResult>(job);
        if (result.failed > 0) throw new Error(`${name}: ${result.failed} of ${count} requests failed.`);
        // A process started ahead is no cold start; where most were, there is nothing to measure here.
        if (result.requests < count / 2) {
          throw new Error(`${name}: only ${result.requests} of ${count} requests were cold.`);
        }
        return result;
      });
      const rows: Row[] = [];
      for (const [metric, pick] of [
        ['p50', (r: LoadResult) => r.p50Ms],
        ['p90', (r: LoadResult) => r.p90Ms],
        ['p99', (r: LoadResult) => r.p99Ms],
      ] as const) {
        let first: { name: string; value: number } | null = null;
        for (const [{ name }, results] of measured) {
          const value = median(results.map(pick));
          rows.push(rowOf('cold', { name, metric, value, unit: 'ms', ...(first && { over: first }) }));
          first ??= { name, value };
        }
      }
      return rows;
    } finally {
      for (const server of servers) await server.stop();
      await load.stop();
    }
  },
};

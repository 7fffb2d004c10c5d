import type { Row, RunOptions } from './benchmark.ts';
import { floodRows } from './flood-rows.ts';
import { LineProcess } from './line-process.ts';
import type { LoadJob, LoadResult } from './load-run.ts';
import type { Scene } from './scaling-scene.ts';
import { spreadOf } from './statistics.ts';

/** Of `flooded` in the app's config. */
const LIMIT = { rps: 100, burst: 100 };
/** Ten times as much, whether it is answered or not: connections enough that one is free while others take a quarter of a second. */
const FLOOD = { connections: 250, perSecond: 10 * LIMIT.rps };
/** What its neighbours have to do in quiet times, too. */
const STEADY = { connections: 4, pauseMs: 20 };
const NEIGHBOURS = ['service', 'function'] as const;

/**
 * One component is asked for ten times what it may do; the others' p99 against their own without that, in turns. The flood's clients share the
 * machine with those whom they disturb, as they would not elsewhere: what is found is the most that it can be.
 */
export async function flood({ server, load }: Scene, { quick, note }: RunOptions): Promise<Row[]> {
  const [rounds, durationMs] = quick ? [1, 300] : [8, 3_000];
  const { url } = server.hello;
  const clients = await Promise.all(NEIGHBOURS.map(() => LineProcess.start('load.ts')));
  const latencies = new Map<string, number[]>();
  let [asked, refused, seconds] = [0, 0, 0];
  try {
    note(`${rounds} rounds with a flood and without`);
    const steady = async (when: string): Promise<void> => {
      const results = await Promise.all(
        NEIGHBOURS.map((name, i) =>
          clients[i]!.ask<LoadResult>({
            url: `${url}/${name}`,
            // The query is no part of a job's address: its paths are taken as they are.
            paths: [`/${name}?ms=2`],
            ...STEADY,
            durationMs,
            keepLatencies: true,
          } satisfies LoadJob),
        ),
      );
      for (const [i, { latenciesMs, failed }] of results.entries()) {
        if (failed > 0) throw new Error(`${NEIGHBOURS[i]}: ${failed} requests failed ${when}.`);
        const key = `${NEIGHBOURS[i]}, ${when}`;
        latencies.set(key, [...(latencies.get(key) ?? []), ...latenciesMs!]);
      }
    };
    // Once without measuring: instances are there afterwards.
    await steady('at first');
    for (let round = 0; round < rounds; round++) {
      await steady('quiet');
      const flooding = load.ask<LoadResult>({
        url: `${url}/flooded`,
        paths: ['/flooded?ms=20'],
        ...FLOOD,
        durationMs,
      } satisfies LoadJob);
      await steady('flooded');
      const result = await flooding;
      asked += result.requests;
      refused += result.failed;
      seconds += durationMs / 1_000;
    }
  } finally {
    for (const client of clients) await client.stop();
  }
  const p99 = (key: string): number => spreadOf(latencies.get(key)!).p99;
  return floodRows({
    limit: LIMIT,
    rounds,
    seconds,
    asked,
    answered: asked - refused,
    neighbours: NEIGHBOURS.map((name) => ({
      name,
      quietMs: p99(`${name}, quiet`),
      floodedMs: p99(`${name}, flooded`),
    })),
  });
}

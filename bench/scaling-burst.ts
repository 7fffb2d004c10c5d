import { availableParallelism } from 'node:os';
import { rowOf, type Row, type RunOptions } from './benchmark.ts';
import { LineProcess } from './line-process.ts';
import type { LoadJob, LoadResult } from './load-run.ts';
import { untilGone, type Scene } from './scaling-scene.ts';
import type { Life } from './scaling-server.ts';
import { median } from './statistics.ts';

const WAITS_MS = 100;
/** Of a function, by default. */
const MAX_INSTANCES = 100;
const TARGET = { max: 3 };

interface Burst {
  readonly name: string;
  readonly component: string;
  readonly kind: 'waits' | 'computes';
  readonly target: boolean;
}

const BURSTS: readonly Burst[] = [
  { name: 'waits, fork', component: 'waits-fork', kind: 'waits', target: true },
  { name: 'waits, spawn', component: 'waits-spawn', kind: 'waits', target: false },
  { name: 'computes, fork', component: 'computes-fork', kind: 'computes', target: true },
  { name: 'computes, spawn', component: 'computes-spawn', kind: 'computes', target: false },
];

/**
 * From no instance to `count` requests at once, of 100 ms each: the time until all are answered.
 *
 * The ideal of work that waits has nothing to do with processors: `max` instances are there at once, and come round as often as they must.
 * The ideal of work that computes is its processor time over the processors. What that is is measured beside it, by processes
 * that are there already and do nothing else, as many as there are processors: a machine that others use as well is no slower for
 * us than for them.
 */
export async function burst({ server, load }: Scene, { quick, note }: RunOptions): Promise<Row[]> {
  const [rounds, count] = quick ? [1, 2] : [3, 200];
  const cpus = availableParallelism();
  const workers = await Promise.all(Array.from({ length: cpus }, () => LineProcess.start('work-server.ts')));
  const took = new Map<Burst | 'bare', number[]>([...BURSTS, 'bare' as const].map((each) => [each, []]));
  const starts = new Map<Burst, number[]>(BURSTS.map((each) => [each, []]));
  try {
    // Alone: the first of them is not compiled yet, as it is not in an instance.
    const { cpuMs } = await workers[0]!.ask<{ cpuMs: number }>(quick ? 1 : 10);
    note(`bursts of ${count}; the work computes for ${cpuMs.toFixed(0)} ms alone`);
    // From its zygote, if from nothing else: a component that has served before.
    const urlOf = ({ component }: Burst): string => `${server.hello.url}/${component}`;
    for (const each of BURSTS) await (await fetch(urlOf(each))).text();
    for (let round = 0; round < rounds; round++) {
      const begunMs = performance.now();
      await Promise.all(workers.map((worker) => worker.ask(Math.ceil(count / cpus))));
      took.get('bare')!.push(performance.now() - begunMs);
      for (const each of BURSTS) {
        const url = urlOf(each);
        await untilGone(server, [each.component]);
        const [before] = await server.ask<Life[][]>([each.component]);
        const sinceMs = performance.now();
        const result = await load.ask<LoadResult>({ url, connections: count, count } satisfies LoadJob);
        took.get(each)!.push(performance.now() - sinceMs);
        if (result.failed > 0) throw new Error(`${each.name}: ${result.failed} of ${count} requests failed.`);
        const [after] = await server.ask<Life[][]>([each.component]);
        starts.get(each)!.push(after!.length - before!.length);
      }
    }
    const ideals = {
      waits: Math.ceil(count / MAX_INSTANCES) * WAITS_MS,
      computes: (count * cpuMs) / cpus,
    };
    const metric = `0 to ${count} at once, until all are answered`;
    return [
      rowOf('scaling', { name: 'ideal, waits', metric, value: ideals.waits, unit: 'ms' }),
      rowOf('scaling', { name: 'ideal, computes', metric, value: ideals.computes, unit: 'ms' }),
      rowOf('scaling', {
        name: 'bare processes',
        metric,
        value: median(took.get('bare')!),
        unit: 'ms',
        over: { name: 'ideal, computes', value: ideals.computes },
      }),
      ...BURSTS.map((each) =>
        rowOf('scaling', {
          name: each.name,
          metric,
          value: median(took.get(each)!),
          unit: 'ms',
          over: { name: `ideal, ${each.kind}`, value: ideals[each.kind] },
          ...(each.target && { target: TARGET }),
        }),
      ),
      ...BURSTS.map((each) =>
        rowOf('scaling', {
          name: each.name,
          metric: `instances started for ${count}`,
          value: median(starts.get(each)!),
          unit: 'instances',
        }),
      ),
    ];
  } finally {
    for (const worker of workers) await worker.stop();
  }
}

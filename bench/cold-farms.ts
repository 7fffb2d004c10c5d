import { setTimeout as wait } from 'node:timers/promises';
import { rowOf, type Row, type RunOptions, type Target } from './benchmark.ts';
import { FunctionFarm } from './function-farm.ts';
import type { LineProcess } from './line-process.ts';
import type { LoadJob, LoadResult } from './load-run.ts';
import { spreadOf, type Spread } from './statistics.ts';
import { availableBytes, peakOfTree, privateBytes, processTree, proportionalBytes } from './tree-memory.ts';

const MB = 1024 * 1024;
const CONNECTIONS = 4;
/** With four connections, so that 200 functions are called every four to five seconds each. */
const PAUSE_MS = 80;
/** How often memory is looked at, which takes some milliseconds of the machine each time. */
const LOOK_MS = 250;
/** Until what the last requests began is over. */
const SETTLE_MS = 1_000;

/** Many functions that are called every few seconds, of which nothing runs in between. */
export async function seldomCalled({ quick, note }: RunOptions, load: LineProcess<unknown>): Promise<Row[]> {
  const [functions, count] = quick ? [4, 8] : [200, 1_000];
  const metric = (what: string): string => `${functions} functions, none kept: ${what}`;
  note(`${functions} functions that are seldom called, ${count} requests`);
  const farm = await FunctionFarm.start(functions, { keepAlive: '0s', zygoteKeepAlive: '0s' });
  try {
    const { server, paths } = farm;
    const job: LoadJob = { url: server.url, paths, connections: CONNECTIONS, count, onlyCold: true };
    // Once each without measuring; afterwards in two passes, as to look at memory costs time.
    await load.ask<LoadResult>({ ...job, count: functions });
    await checkNoneKept(farm);
    const paced: LoadJob = { ...job, pauseMs: PAUSE_MS, keepLatencies: true };
    const result = await load.ask<LoadResult>(paced);
    const peak = await peakOfTree(server.pid, LOOK_MS, () => load.ask<LoadResult>(paced));
    await wait(SETTLE_MS);
    const left = processTree(server.pid).length;
    return [
      ...spreadRows(metric, spreadOf(result.latenciesMs!), { p50: { max: 12 } }),
      rowOf('cold', {
        name: 'answered from disk',
        metric: metric('all'),
        value: (100 * result.requests) / count,
        unit: '%',
        target: { min: 100 },
      }),
      rowOf('cold', {
        name: 'peak of all processes',
        metric: metric('all'),
        value: peak / MB,
        unit: 'MB',
        target: { max: 1_000 },
      }),
      rowOf('cold', { name: 'processes left', metric: metric('all'), value: left, unit: '' }),
    ];
  } finally {
    await farm.stop();
  }
}

/** Many functions whose zygotes all live. */
export async function livingZygotes({ note }: RunOptions, load: LineProcess<unknown>): Promise<Row[]> {
  const functions = 1_000;
  const metric = (what: string): string => `${functions} living zygotes: ${what}`;
  note(`${functions} functions whose zygotes live`);
  const farm = await FunctionFarm.start(functions, { keepAlive: '0s', zygoteKeepAlive: '1h' });
  try {
    const { server, paths } = farm;
    await wait(SETTLE_MS);
    const before = { processes: new Set(processTree(server.pid)), available: availableBytes() };
    const beforeBytes = proportionalBytes([...before.processes]);
    // The first request of each: from disk, beside all that were called before it.
    const result = await load.ask<LoadResult>({
      url: server.url,
      paths,
      connections: 1,
      count: functions,
      onlyCold: true,
      pauseMs: PAUSE_MS / CONNECTIONS,
      keepLatencies: true,
    } satisfies LoadJob);
    await wait(SETTLE_MS);
    const tree = processTree(server.pid);
    const zygotes = tree.filter((pid) => !before.processes.has(pid));
    if (result.requests < functions || zygotes.length < functions) {
      throw new Error(
        `Of ${functions} functions ${result.requests} were cold and ${zygotes.length} zygotes live.`,
      );
    }
    const privateOfAll = zygotes.reduce((bytes, pid) => bytes + privateBytes(pid), 0);
    const each = (name: string, bytes: number, target?: Target): Row =>
      rowOf('cold', {
        name,
        metric: metric('memory of each'),
        value: bytes / functions / MB,
        unit: 'MB',
        ...(target && { target }),
      });
    return [
      ...spreadRows(metric, spreadOf(result.latenciesMs!), { p50: { max: 10 } }),
      rowOf('cold', {
        name: 'p50 of the last 100',
        metric: metric('from disk'),
        value: spreadOf(result.latenciesMs!.slice(-100)).p50,
        unit: 'ms',
      }),
      each('all processes’ growth', proportionalBytes(tree) - beforeBytes, { max: 3 }),
      each('private', privateOfAll),
      each('the machine’s loss', before.available - availableBytes()),
    ];
  } finally {
    await farm.stop();
  }
}

function spreadRows(
  metric: (what: string) => string,
  spread: Spread,
  targets: Partial<Record<keyof Spread, Target>>,
): Row[] {
  return (['p50', 'p90', 'p99', 'max'] as const).map((name) => {
    const target = targets[name];
    return rowOf('cold', {
      name,
      metric: metric('from disk'),
      value: spread[name],
      unit: 'ms',
      ...(target && { target }),
    });
  });
}

async function checkNoneKept({ server, paths }: FunctionFarm): Promise<void> {
  const [path] = paths;
  const seen = new Set<string | null>();
  for (let i = 0; i < 3; i++) {
    await wait(PAUSE_MS);
    const answer = await fetch(`${server.url}${path}`);
    await answer.text();
    seen.add(answer.headers.get('x-loaded'));
  }
  if (seen.size !== 3) throw new Error(`${path}: three requests had the module loaded ${seen.size} times.`);
}

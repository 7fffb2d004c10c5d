import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { rowOf, type Benchmark, type Row, type RunOptions, type Target } from './benchmark.ts';
import { livingZygotes, seldomCalled } from './cold-farms.ts';
import { LineProcess } from './line-process.ts';
import type { LoadJob, LoadResult } from './load-run.ts';
import { table } from './report.ts';
import { ServerProcess } from './server-process.ts';
import { interleaved, median, spreadOf, type Spread } from './statistics.ts';
import { privateBytes } from './tree-memory.ts';

const MB = 1024 * 1024;
/** Between two requests, so that the instance, and its zygote where it has no keep-alive, is gone. */
const PAUSE_MS = 30;
const CLIENTS = 8;
/** A process that has answered gives memory back for a moment after. */
const IDLE_MS = 500;

/** One way in which a process can come to be, each request by a new one unless it `isWarm`. */
interface Subject {
  readonly name: string;
  readonly server: ServerProcess;
  readonly path: string;
  readonly targets: Partial<Record<keyof Spread, Target>>;
  /** Whether its process may have been there before the request. */
  readonly isWarm: boolean;
}

interface Measured {
  readonly subject: Subject;
  readonly spread: Spread;
}

export const cold: Benchmark = {
  name: 'cold',
  about: [
    'a new process for every request, over HTTP: functions from their',
    'zygotes, from disk, and with a spare, beside a warm instance, the spawn',
    'engine, a bare node, a worker thread, and workerd ($WORKERD or in PATH)',
    'as process start; what instances and zygotes hold; 200 functions that',
    'are seldom called, and 1,000 living zygotes (not with --quick).',
  ].join('\n'),
  async run(options) {
    const load = await LineProcess.start('load.ts');
    try {
      const stages = [oneApp, seldomCalled, ...(options.quick ? [] : [livingZygotes])];
      const rows: Row[] = [];
      for (const stage of stages) {
        const found = await stage(options, load);
        rows.push(...found);
        // The whole takes a quarter of an hour: what is known is shown, should it be cut off.
        if (!options.quick) options.note(`\n${table(found)}`);
      }
      return rows;
    } finally {
      await load.stop();
    }
  },
};

async function oneApp(options: RunOptions, load: LineProcess<unknown>): Promise<Row[]> {
  const { note } = options;
  const servers: ServerProcess[] = [];
  const start = async (script: string, args: readonly string[]): Promise<ServerProcess> => {
    const server = await ServerProcess.start(script, args);
    servers.push(server);
    return server;
  };
  try {
    const workerd = findWorkerd();
    if (workerd === null) note('workerd is left out: set WORKERD to its path, or have it in PATH');
    const anew = await start('anew-server.ts', workerd === null ? [] : [workerd]);
    const app = await start('fulcrum-server.ts', [fileURLToPath(new URL('./cold-app/', import.meta.url))]);
    const subjects = subjectsOf(app, anew, workerd !== null);
    // Once each without measuring: what is read from disk is in memory afterwards.
    for (const { server, path } of subjects) await hello(server, path);
    await checkTiers(app);
    const measured = await latencies(subjects, options, load);
    return [
      ...latencyRows(measured),
      ...spareRows(measured),
      ...(await throughputRows(app, anew, options, load)),
      ...(await memoryRows(app)),
    ];
  } finally {
    for (const server of servers) await server.stop();
  }
}

function subjectsOf(app: ServerProcess, anew: ServerProcess, workerd: boolean): Subject[] {
  const of =
    (server: ServerProcess) =>
    (name: string, path: string, targets: Subject['targets'] = {}, isWarm = false): Subject => ({
      name,
      server,
      path,
      targets,
      isWarm,
    });
  const [ours, others] = [of(app), of(anew)];
  return [
    ours('zygote, hello', '/zygote', { p50: { max: 3.5 }, p99: { max: 8 } }),
    ours('zygote, AWS SDK', '/sdk', { p50: { max: 5 } }),
    ours('disk, hello', '/disk', { p50: { max: 12 } }),
    ours('fresh, steady load', '/fresh', {}, true),
    ours('warm instance', '/warm', {}, true),
    ours('spawn engine', '/spawned'),
    others('bare node', '/node'),
    others('bare node, AWS SDK', '/node-sdk'),
    others('worker thread', '/thread'),
    ...(workerd ? [others('workerd', '/workerd')] : []),
  ];
}

async function latencies(
  subjects: readonly Subject[],
  { quick, note }: RunOptions,
  load: LineProcess<unknown>,
): Promise<Measured[]> {
  const [rounds, count] = quick ? [1, 4] : [10, 50];
  note(`${rounds} rounds of ${count} requests, one after the other, for each of ${subjects.length}`);
  const measured = await interleaved(rounds, subjects, async ({ name, server, path, isWarm }) => {
    const result = await load.ask<LoadResult>({
      url: `${server.url}${path}`,
      connections: 1,
      count,
      onlyCold: !isWarm,
      pauseMs: PAUSE_MS,
      keepLatencies: true,
    } satisfies LoadJob);
    if (result.failed > 0) throw new Error(`${name}: ${result.failed} of ${count} requests failed.`);
    // A process started ahead is no cold start; where most were, there is nothing to measure here.
    if (result.requests < count / 2) {
      throw new Error(`${name}: only ${result.requests} of ${count} requests were cold.`);
    }
    return result.latenciesMs!;
  });
  return [...measured].map(([subject, results]) => ({ subject, spread: spreadOf(results.flat()) }));
}

function latencyRows(measured: readonly Measured[]): Row[] {
  return (['p50', 'p90', 'p99', 'max'] as const).flatMap((metric) =>
    measured.map(({ subject: { name, targets }, spread }) => {
      const target = targets[metric];
      return rowOf('cold', { name, metric, value: spread[metric], unit: 'ms', ...(target && { target }) });
    }),
  );
}

/** Under a steady load a spare instance stands ready: what that leaves. */
function spareRows(measured: readonly Measured[]): Row[] {
  const p50 = (path: string): number => measured.find(({ subject }) => subject.path === path)!.spread.p50;
  return [
    rowOf('cold', {
      name: 'fresh, steady load',
      metric: 'p50 beyond a warm instance’s',
      value: p50('/fresh') - p50('/warm'),
      unit: 'ms',
      target: { max: 1 },
    }),
  ];
}

async function throughputRows(
  app: ServerProcess,
  anew: ServerProcess,
  { quick, note }: RunOptions,
  load: LineProcess<unknown>,
): Promise<Row[]> {
  const [rounds, durationMs] = quick ? [1, 300] : [5, 4_000];
  note(`${CLIENTS} clients at once, ${rounds} rounds of ${durationMs} ms`);
  const subjects = [
    { name: 'fresh', server: app, path: '/fresh', target: { min: 400 } },
    { name: 'spawn engine', server: app, path: '/spawned' },
    { name: 'bare node', server: anew, path: '/node' },
    { name: 'worker thread', server: anew, path: '/thread' },
  ];
  const measured = await interleaved(rounds, subjects, async ({ name, server, path }) => {
    const url = `${server.url}${path}`;
    const result = await load.ask<LoadResult>({ url, connections: CLIENTS, durationMs } satisfies LoadJob);
    if (result.failed > 0) throw new Error(`${name}: ${result.failed} requests failed.`);
    return result.perSecond;
  });
  return [...measured].map(([{ name, target }, results]) =>
    rowOf('cold', {
      name,
      metric: `a process each, ${CLIENTS} clients`,
      value: median(results),
      unit: 'req/s',
      ...(target && { target }),
    }),
  );
}

async function memoryRows(app: ServerProcess): Promise<Row[]> {
  const subjects = [
    { name: 'forked, hello', component: 'idle-hello', target: { max: 3 } },
    { name: 'forked, AWS SDK', component: 'idle-sdk' },
    { name: 'spawn engine, hello', component: 'idle-spawned' },
  ];
  for (const { component } of subjects) await hello(app, `/${component}`);
  await wait(IDLE_MS);
  const rows: Row[] = [];
  for (const { name, component, target } of subjects) {
    const [pid] = await app.instances(component);
    rows.push(
      rowOf('cold', {
        name,
        metric: 'private memory of an idle instance',
        value: pid === undefined ? NaN : privateBytes(pid) / MB,
        unit: 'MB',
        ...(target && { target }),
      }),
    );
  }
  return rows;
}

/** @returns what the answer's module was loaded as. Throws where it was no such answer. */
async function hello(server: ServerProcess, path: string): Promise<string | null> {
  const answer = await fetch(`${server.url}${path}`);
  const text = await answer.text();
  if (text !== 'Hello, world!') throw new Error(`${path} answered ${answer.status}: ${text}`);
  return answer.headers.get('x-loaded');
}

/** That each tier is what it is called, and not a tier that is quicker. */
async function checkTiers(app: ServerProcess): Promise<void> {
  for (const [path, loadings] of [
    ['/zygote', 1],
    ['/sdk', 1],
    ['/disk', 3],
    ['/spawned', 3],
  ] as const) {
    const seen = new Set<string | null>();
    for (let i = 0; i < 3; i++) {
      await wait(PAUSE_MS);
      seen.add(await hello(app, path));
    }
    if (seen.size !== loadings) {
      throw new Error(`${path}: three requests had the module loaded ${seen.size} times, not ${loadings}.`);
    }
  }
}

function findWorkerd(): string | null {
  const named = process.env['WORKERD'];
  if (named !== undefined && named !== '') return named;
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, 'workerd')).find((path) => existsSync(path)) ?? null;
}

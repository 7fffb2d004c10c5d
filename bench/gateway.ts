import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { rowOf, type Benchmark, type Finding, type Row, type RunOptions, type Target } from './benchmark.ts';
import { cpuMs } from './cpu.ts';
import { LineProcess } from './line-process.ts';
import type { LoadJob, LoadResult } from './load-run.ts';
import { peakBytes, residentBytes } from './memory.ts';
import { ONE_KILOBYTE, UPLOAD_BYTES } from './payloads.ts';
import { ServerProcess } from './server-process.ts';
import { slowClients } from './slow-clients.ts';
import { interleaved, median } from './statistics.ts';

const MB = 1024 * 1024;

interface Subject {
  readonly name: string;
  readonly server: ServerProcess;
  readonly path: string;
  /** Whether the targets are for it. */
  readonly judged: boolean;
}

/** One kind of request, and what a service has to reach with it. */
interface Scenario {
  readonly name: string;
  readonly path: string;
  readonly job: Omit<LoadJob, 'url'>;
  readonly metrics: readonly Metric[];
}

interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly pick: (measured: Measured) => number;
  readonly target: Target | null;
  /** Compared with raw `node:http`'s. */
  readonly isRatio: boolean;
}

interface Measured extends LoadResult {
  /** Of all the server's processes, in µs a request; NaN where it cannot be told. */
  readonly cpuUs: number;
  /** How much more memory they had at most than before, in MB. */
  readonly growthMb: number;
}

const throughput = (target: Target | null): Metric => ({
  name: 'throughput',
  unit: 'req/s',
  pick: (m) => m.perSecond,
  target,
  isRatio: true,
});
const tail = (target: Target | null): Metric => ({
  name: 'p99',
  unit: 'ms',
  pick: (m) => m.p99Ms,
  target,
  isRatio: true,
});
const cpu: Metric = { name: 'CPU', unit: 'µs/req', pick: (m) => m.cpuUs, target: null, isRatio: true };
const bytes: Metric = {
  name: 'bytes',
  unit: 'MB/s',
  pick: (m) => m.bytesPerSecond / MB,
  target: { min: 0.7 },
  isRatio: true,
};
const memory: Metric = {
  name: 'memory growth',
  unit: 'MB',
  pick: (m) => m.growthMb,
  target: { max: 64 },
  isRatio: false,
};

/** The service's; the warm function is measured beside it. */
const FREE: readonly Scenario[] = [
  {
    name: 'GET',
    path: '',
    job: { connections: 32 },
    metrics: [throughput({ min: 0.6 }), tail({ max: 2 }), cpu],
  },
  {
    name: 'POST 1 KB',
    path: '',
    job: { connections: 32, body: ONE_KILOBYTE },
    metrics: [throughput({ min: 0.6 }), tail(null), cpu],
  },
  { name: '1 MB download', path: '/download', job: { connections: 8 }, metrics: [bytes, cpu, memory] },
  {
    name: '10 MB upload',
    path: '/upload',
    job: { connections: 4, uploadBytes: UPLOAD_BYTES },
    metrics: [bytes, cpu, memory],
  },
];
/** All server processes on one processor, the load on another: what each costs, whatever the machine makes of parallel work. */
const PINNED: readonly Scenario[] = [
  { name: 'pinned GET', path: '', job: { connections: 32 }, metrics: [throughput({ min: 0.5 }), cpu] },
];

export const gateway: Benchmark = {
  name: 'gateway',
  about: [
    'hello on raw node:http, Fastify, Hono, nginx and HAProxy in front of',
    'raw node:http, and Fulcrum; × is over raw node:http. p99 is the median',
    "of the rounds' p99; CPU is of all the server's processes; bytes are of",
    'bodies; memory growth is the most that was added within a round.',
    'pinned: all servers on one processor, the load on another.',
    '--slow: what slow clients do to 8 good ones; × is over none of them.',
  ].join('\n'),
  async run(options) {
    if (options.slow) return await slowClients(options);
    const rows = await compareAll(FREE, null, options);
    if (options.quick) options.note('pinned to one processor: left out of the quick form');
    else if (availableParallelism() < 2 || !has('taskset')) {
      options.note('pinned to one processor: skipped, for want of a second one or of taskset (util-linux)');
    } else rows.push(...(await compareAll(PINNED, { servers: 0, load: 1 }, options)));
    return rows;
  },
};

async function compareAll(
  scenarios: readonly Scenario[],
  pinned: { readonly servers: number; readonly load: number } | null,
  options: RunOptions,
): Promise<Row[]> {
  const load = await LineProcess.start('load.ts', [], pinned?.load ?? null);
  const servers: ServerProcess[] = [];
  const start = async (script: string, ...args: string[]): Promise<ServerProcess> => {
    const server = await ServerProcess.start(script, args, pinned?.servers ?? null);
    servers.push(server);
    return server;
  };
  try {
    const subjects: Subject[] = [];
    const add = (name: string, server: ServerProcess, path = '/hello', judged = false): void =>
      void subjects.push({ name, server, path, judged });
    add('raw node:http', await start('raw-server.ts'));
    if (!options.quick) {
      add('Fastify', await start('fastify-server.ts'));
      add('Hono', await start('hono-server.ts'));
      for (const program of ['nginx', 'haproxy']) {
        if (has(program)) add(`${program} → raw`, await start('proxy-server.ts', program));
        else options.note(`${program}: skipped, it is not installed`);
      }
    }
    const fulcrum = await start('fulcrum-server.ts');
    add('Fulcrum service', fulcrum, '/service', true);
    add('Fulcrum warm function', fulcrum, '/warm');
    const rows: Row[] = [];
    for (const scenario of scenarios) rows.push(...(await compare(scenario, subjects, load, options)));
    return rows;
  } finally {
    for (const server of servers) await server.stop();
    await load.stop();
  }
}

async function compare(
  scenario: Scenario,
  subjects: readonly Subject[],
  load: LineProcess<unknown>,
  { quick, note }: RunOptions,
): Promise<Row[]> {
  const [rounds, durationMs, warmUpMs] = quick ? [2, 150, 150] : [7, 1_000, 1_500];
  const jobFor = ({ server, path }: Subject, forMs: number): LoadJob => ({
    url: server.url + (path === '/hello' && scenario.path !== '' ? '' : path) + scenario.path,
    durationMs: forMs,
    ...scenario.job,
  });
  note(`${scenario.name}: ${rounds} rounds of ${durationMs} ms for each of ${subjects.length}`);
  for (const subject of subjects) await load.ask(jobFor(subject, warmUpMs));
  const measured = await interleaved(rounds, subjects, async (subject): Promise<Measured> => {
    const pids = await subject.server.pids();
    const beforeMs = cpuMs(pids);
    const job = jobFor(subject, durationMs);
    const before = residentBytes(pids);
    const { result, peak } = await peakBytes(pids, () => load.ask<LoadResult>(job));
    if (result.failed > 0) {
      throw new Error(
        `${subject.name}, ${scenario.name}: ${result.failed} of ${result.requests} requests failed.`,
      );
    }
    const cpuUs = ((cpuMs(pids) - beforeMs) / result.requests) * 1_000;
    return { ...result, cpuUs, growthMb: (peak - before) / MB };
  });
  return scenario.metrics.flatMap((metric) => rowsOf(scenario, metric, measured));
}

function rowsOf(scenario: Scenario, metric: Metric, measured: Map<Subject, Measured[]>): Row[] {
  const rows: Row[] = [];
  let first: { name: string; value: number } | null = null;
  for (const [subject, results] of measured) {
    const value = metric.isRatio ? median(results.map(metric.pick)) : Math.max(...results.map(metric.pick));
    if (Number.isNaN(value)) continue;
    const finding: Finding = {
      name: subject.name,
      metric: `${scenario.name} ${metric.name}`,
      value,
      unit: metric.unit,
      ...(first === null || !metric.isRatio ? {} : { over: first }),
      ...(subject.judged && metric.target !== null ? { target: metric.target } : {}),
    };
    rows.push(rowOf('gateway', finding));
    first ??= { name: subject.name, value };
  }
  return rows;
}

function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v ${program}`], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

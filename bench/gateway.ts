import { rowOf, type Benchmark, type Finding, type Row, type RunOptions, type Target } from './benchmark.ts';
import { cpuMs } from './cpu.ts';
import { LineProcess } from './line-process.ts';
import type { LoadJob, LoadResult } from './load-run.ts';
import { ServerProcess } from './server-process.ts';
import { interleaved, median } from './statistics.ts';

const CONNECTIONS = 32;
const ONE_KILOBYTE = JSON.stringify({ text: 'x'.repeat(1_024 - JSON.stringify({ text: '' }).length) });

/** Of raw `node:http`, both free of any pinning. What the gateway has to reach. */
const THROUGHPUT: Target = { min: 0.6 };
const TAIL: Target = { max: 2 };

interface Subject {
  readonly name: string;
  readonly server: ServerProcess;
  readonly path: string;
  /** Whether the targets are for it. */
  readonly judged: boolean;
}

interface Measured extends LoadResult {
  /** Of all the server's processes, in µs; NaN where it cannot be told. */
  readonly cpuUs: number;
}

export const gateway: Benchmark = {
  name: 'gateway',
  about: 'hello on raw node:http, Fastify, Fulcrum (service, warm function)',
  async run(options) {
    const load = await LineProcess.start('load.ts');
    const servers: ServerProcess[] = [];
    const start = async (script: string): Promise<ServerProcess> => {
      const server = await ServerProcess.start(script);
      servers.push(server);
      return server;
    };
    try {
      const [raw, fastify, fulcrum] = [
        await start('raw-server.ts'),
        await start('fastify-server.ts'),
        await start('fulcrum-server.ts'),
      ];
      const subjects: Subject[] = [
        { name: 'raw node:http', server: raw, path: '/hello', judged: false },
        { name: 'Fastify', server: fastify, path: '/hello', judged: false },
        { name: 'Fulcrum service', server: fulcrum, path: '/service', judged: true },
        { name: 'Fulcrum warm function', server: fulcrum, path: '/warm', judged: false },
      ];
      return [
        ...(await compare('GET', subjects, undefined, load, options)),
        ...(await compare('POST 1 KB', subjects, ONE_KILOBYTE, load, options)),
      ];
    } finally {
      for (const server of servers) await server.stop();
      await load.stop();
    }
  },
};

async function compare(
  what: string,
  subjects: readonly Subject[],
  body: string | undefined,
  load: LineProcess<unknown>,
  { quick, note }: RunOptions,
): Promise<Row[]> {
  const [rounds, durationMs, warmUpMs] = quick ? [2, 400, 300] : [7, 2_000, 2_000];
  const jobFor = ({ server, path }: Subject, durationMs: number): LoadJob => ({
    url: server.url + path,
    connections: CONNECTIONS,
    durationMs,
    ...(body === undefined ? {} : { body }),
  });
  note(`${what}: ${rounds} rounds of ${durationMs} ms for each of ${subjects.length}`);
  for (const subject of subjects) await load.ask(jobFor(subject, warmUpMs));
  const measured = await interleaved(rounds, subjects, async (subject): Promise<Measured> => {
    const pids = await subject.server.pids();
    const beforeMs = cpuMs(pids);
    const result = await load.ask<LoadResult>(jobFor(subject, durationMs));
    const cpuUs = ((cpuMs(pids) - beforeMs) / result.requests) * 1_000;
    if (result.failed > 0) {
      throw new Error(`${subject.name}: ${result.failed} of ${result.requests} requests failed.`);
    }
    return { ...result, cpuUs };
  });

  const rows: Row[] = [];
  const tell = (metric: string, unit: string, pick: (m: Measured) => number, target: Target | null): void => {
    let first: { name: string; value: number } | null = null;
    for (const [subject, results] of measured) {
      const value = median(results.map(pick));
      if (Number.isNaN(value)) continue;
      const finding: Finding = {
        name: subject.name,
        metric: `${what} ${metric}`,
        value,
        unit,
        ...(first === null ? {} : { over: first }),
        ...(subject.judged && target !== null ? { target } : {}),
      };
      rows.push(rowOf('gateway', finding));
      first ??= { name: subject.name, value };
    }
  };
  tell('throughput', 'req/s', (m) => m.perSecond, THROUGHPUT);
  tell('p99', 'ms', (m) => m.p99Ms, body === undefined ? TAIL : null);
  tell('CPU', 'µs/req', (m) => m.cpuUs, null);
  return rows;
}

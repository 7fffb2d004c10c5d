import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rowOf, type Benchmark, type Row, type RunOptions, type Target } from './benchmark.ts';
import { backlog } from './events-backlog.ts';
import { FulcrumContender, PeerContender } from './events-contender.ts';
import type { PostgresHello } from './events-postgres.ts';
import { LineProcess } from './line-process.ts';
import { table } from './report.ts';
import { interleaved, median, percentile, spreadOf } from './statistics.ts';

/** What Postgres is to be level with. */
const GRAPHILE = 'graphile-worker';

/** What takes part, in the order in which each round measures it. */
interface Field {
  readonly sqlite: FulcrumContender;
  /** Null where there is no Postgres for this platform. */
  readonly onPostgres: {
    readonly fulcrum: FulcrumContender;
    readonly peers: readonly PeerContender[];
  } | null;
}

export const events: Benchmark = {
  name: 'events',
  about: [
    'publish to handler, one event at a time; events of 1 KB a second, from',
    'publish to acknowledged, on SQLite (full sync) and on Postgres (fsync),',
    'there beside graphile-worker and pg-boss as they are quickest; a',
    'backlog of a million: publishing and memory beside none.',
  ].join('\n'),
  async run(options) {
    const folder = await mkdtemp(join(tmpdir(), 'fulcrum-bench-'));
    const home = (name: string): string => {
      mkdirSync(join(folder, name));
      return join(folder, name);
    };
    const running: { stop(): Promise<void> }[] = [];
    try {
      const rows = [syncCost(folder)];
      const tell = (found: readonly Row[]): void => {
        rows.push(...found);
        if (!options.quick) options.note(`\n${table(found)}`);
      };
      const field = await start(home, running, options);
      tell(await latency(field, options));
      tell(await throughput(field, options));
      await stopAll(running);
      tell(await backlog({ empty: home('empty'), full: home('full') }, options));
      return rows;
    } finally {
      await stopAll(running);
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function start(
  home: (name: string) => string,
  running: { stop(): Promise<void> }[],
  { note }: RunOptions,
): Promise<Field> {
  const begun = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    running.push(started);
    return started;
  };
  const sqlite = await begun(FulcrumContender.start('Fulcrum, SQLite', home('sqlite'), null));
  const postgres = await begun(LineProcess.start<PostgresHello>('events-postgres.ts'));
  if (postgres.hello.missing !== null) {
    note(`without Postgres: ${postgres.hello.missing}`);
    return { sqlite, onPostgres: null };
  }
  const database = async (name: string): Promise<string> => (await postgres.ask<{ url: string }>(name)).url;
  const fulcrum = await begun(
    FulcrumContender.start('Fulcrum, Postgres', home('postgres'), await database('fulcrum')),
  );
  const peers = [
    await begun(PeerContender.start('graphile-worker', await database('graphile'))),
    await begun(PeerContender.start('pg-boss', await database('pgboss'))),
  ];
  return { sqlite, onPostgres: { fulcrum, peers } };
}

/** What was started last ends first: clients before their database. */
async function stopAll(running: { stop(): Promise<void> }[]): Promise<void> {
  for (let last = running.pop(); last !== undefined; last = running.pop()) await last.stop();
}

async function latency({ sqlite, onPostgres }: Field, { quick, note }: RunOptions): Promise<Row[]> {
  note('latency');
  const [rounds, perRound, fromZero] = quick ? [1, 10, 2] : [5, 60, 10];
  const measures: { name: string; count: number; take: (count: number) => Promise<readonly number[]> }[] = [
    { name: 'SQLite, warm function', count: perRound, take: (n) => sqlite.latenciesMs(n, 'warm') },
    { name: 'SQLite, service', count: perRound, take: (n) => sqlite.latenciesMs(n, 'service') },
    { name: 'SQLite, from zero', count: fromZero, take: (n) => sqlite.latenciesMs(n, 'zero') },
  ];
  if (onPostgres !== null) {
    const { fulcrum, peers } = onPostgres;
    measures.push(
      { name: 'Postgres, warm function', count: perRound, take: (n) => fulcrum.latenciesMs(n, 'warm') },
      { name: 'Postgres, service', count: perRound, take: (n) => fulcrum.latenciesMs(n, 'service') },
      ...peers.map((peer) => ({
        name: peer.name,
        count: perRound,
        take: (n: number) => peer.latenciesMs(n),
      })),
    );
  }
  // What is loaded and opened at first is not what an event costs.
  for (const { take } of measures) await take(2);
  const found = await interleaved(rounds, measures, ({ take, count }) => take(count));
  const spreads = measures.map((measure) => ({
    name: measure.name,
    ...spreadOf(found.get(measure)!.flat()),
  }));
  return [
    ...spreads.map(({ name, p50 }) =>
      rowOf('events', {
        name,
        metric: 'latency p50',
        value: p50,
        unit: 'ms',
        ...(name === 'SQLite, warm function' ? { target: { max: 5 } } : {}),
      }),
    ),
    ...spreads.map(({ name, p99 }) =>
      rowOf('events', { name, metric: 'latency p99', value: p99, unit: 'ms' }),
    ),
  ];
}

/** What a peer is given at once where it may: its quickest way. One by one, each NOTIFY has its commit wait for the one before. */
const PER_CALL = 50;

interface Rate {
  readonly name: string;
  readonly count: number;
  readonly take: (count: number) => Promise<number>;
  readonly target?: Target;
}

async function throughput({ sqlite, onPostgres }: Field, { quick, note }: RunOptions): Promise<Row[]> {
  note('throughput');
  const [rounds, scale] = quick ? [1, 0.05] : [5, 1];
  const onSqlite: readonly Rate[] = [
    { name: sqlite.name, count: 40_000, take: (n) => sqlite.perSecond(n), target: { min: 5_000 } },
    {
      name: 'SQLite, to a function',
      count: 40_000,
      take: (n) => sqlite.perSecond(n, 'bulk-function'),
    },
  ];
  const beside: readonly Rate[] =
    onPostgres === null
      ? []
      : [
          {
            name: onPostgres.fulcrum.name,
            count: 20_000,
            take: (n) => onPostgres.fulcrum.perSecond(n),
            target: { min: 1 },
          },
          ...onPostgres.peers.flatMap((peer) => [
            { name: peer.name, count: 20_000, take: (n: number) => peer.perSecond(n, PER_CALL) },
            { name: `${peer.name}, 1 by 1`, count: 2_000, take: (n: number) => peer.perSecond(n) },
          ]),
        ];
  const measures = [...onSqlite, ...beside];
  for (const { take } of measures) await take(100);
  const found = await interleaved(rounds, measures, ({ take, count }) => take(count * scale));
  const rateOf = (measure: Rate): number => median(found.get(measure)!);
  const graphile = beside.find(({ name }) => name === GRAPHILE);
  return measures.map((measure) => {
    const { name, target } = measure;
    const compared = graphile !== undefined && beside.includes(measure) && measure !== graphile;
    return rowOf('events', {
      name,
      metric: 'sustained',
      value: rateOf(measure),
      unit: 'events/s',
      ...(compared ? { over: { name: GRAPHILE, value: rateOf(graphile) } } : {}),
      ...(target === undefined ? {} : { target }),
    });
  });
}

/** What the disk asks for: half of a group of commits is this. */
function syncCost(folder: string): Row {
  const page = Buffer.alloc(4_096, 1);
  const file = openSync(join(folder, 'sync'), 'w');
  const costsMs = Array.from({ length: 100 }, () => {
    const begunMs = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    return performance.now() - begunMs;
  });
  closeSync(file);
  const value = percentile(
    costsMs.toSorted((a, b) => a - b),
    0.5,
  );
  return rowOf('events', { name: 'write of 4 KB, synced', metric: 'the disk', value, unit: 'ms' });
}

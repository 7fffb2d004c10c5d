import { Logger as QuietLogger, makeWorkerUtils, run, type TaskList } from 'graphile-worker';
import { Client, Pool } from 'pg';
import { PgBoss } from 'pg-boss';
import { machineMs, type Sent } from './events-app/clock.ts';
import { serveLines } from './line-process.ts';

export type PeerName = 'graphile-worker' | 'pg-boss';

/** Said to a publisher: to publish so many. Said to a worker: to tell when so many have been done and acknowledged. */
export interface PeerOrder {
  readonly count: number;
  readonly inFlight: number;
  /** How many a call publishes: 1, or as many as the library is given at once. */
  readonly perCall: number;
}

/** Of a worker: how long each was on its way, ms. */
export type PeerAnswer = readonly number[];

interface Publisher {
  readonly publish: (events: readonly Sent[]) => Promise<unknown>;
  readonly stop: () => Promise<void>;
}

interface Worker {
  /** How many are kept that are not done with. */
  kept(client: Client): Promise<number>;
  stop(): Promise<void>;
}

const QUEUE = 'bench';
const FILLING = 'x'.repeat(1_000);
/** As graphile-worker's own figures have been measured: https://worker.graphile.org/docs/performance */
const CONCURRENT = 24;
const POOL = 25;
const LOOK_AGAIN_MS = 2;

/** One side of a peer, in a process of its own: `events-peer.ts PEER publisher|worker DATABASE_URL`. */
const [peer, side, url] = process.argv.slice(2) as [PeerName, 'publisher' | 'worker', string];
if (side === 'publisher') await serveAsPublisher();
else await serveAsWorker();
// Their pools and timers may hold the process up.
process.exit(0);

async function serveAsPublisher(): Promise<void> {
  const { publish, stop } = await (peer === 'pg-boss' ? bossPublisher() : graphilePublisher());
  await serveLines({}, async ({ count, inFlight, perCall }: PeerOrder) => {
    let calls = Math.ceil(count / perCall);
    const atOnce = Math.min(Math.ceil(inFlight / perCall), calls);
    const one = async (): Promise<void> => {
      while (calls-- > 0)
        await publish(Array.from({ length: perCall }, () => ({ sentMs: machineMs(), filling: FILLING })));
    };
    await Promise.all(Array.from({ length: atOnce }, one));
    return {};
  });
  await stop();
}

async function serveAsWorker(): Promise<void> {
  let latenciesMs: number[] = [];
  let taken = (): void => undefined;
  const take = ({ sentMs }: Sent): void => {
    latenciesMs.push(machineMs() - sentMs);
    taken();
  };
  const worker = await (peer === 'pg-boss' ? bossWorker(take) : graphileWorker(take));
  const client = new Client({ connectionString: url });
  await client.connect();
  await serveLines({}, async ({ count }: PeerOrder): Promise<PeerAnswer> => {
    await new Promise<void>((resolve) => {
      taken = () => {
        if (latenciesMs.length >= count) resolve();
      };
      taken();
    });
    while ((await worker.kept(client)) > 0)
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    const told = latenciesMs;
    latenciesMs = [];
    return told;
  });
  await client.end();
  await worker.stop();
}

function quiet(): QuietLogger {
  return new QuietLogger(() => (level, message) => {
    if (level === 'error') console.error(message);
  });
}

async function graphilePublisher(): Promise<Publisher> {
  const pgPool = new Pool({ connectionString: url, max: POOL });
  // A pool without listeners ends the process where a connection breaks, and the library warns of that.
  pgPool.on('error', (error) => console.error(error));
  pgPool.on('connect', (client) => client.on('error', (error) => console.error(error)));
  const utils = await makeWorkerUtils({ pgPool, logger: quiet() });
  await utils.migrate();
  return {
    publish: ([first, ...more]) =>
      more.length === 0
        ? utils.addJob(QUEUE, first)
        : utils.addJobs([first!, ...more].map((payload) => ({ identifier: QUEUE, payload }))),
    stop: async () => {
      await utils.release();
      await pgPool.end();
    },
  };
}

async function graphileWorker(take: (data: Sent) => void): Promise<Worker> {
  const taskList: TaskList = { [QUEUE]: (data) => take(data as Sent) };
  const runner = await run({
    preset: {
      worker: {
        connectionString: url,
        concurrentJobs: CONCURRENT,
        maxPoolSize: POOL,
        localQueue: { size: 500 },
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
        logger: quiet(),
      },
    },
    taskList,
    noHandleSignals: true,
  });
  return {
    kept: async (client) => countIn(client, 'SELECT count(*)::int AS n FROM graphile_worker._private_jobs'),
    stop: () => runner.stop(),
  };
}

async function boss(): Promise<PgBoss> {
  const started = new PgBoss({ connectionString: url, max: POOL, useListenNotify: true, supervise: false });
  started.on('error', (error) => console.error(error));
  await started.start();
  await started.createQueue(QUEUE, { notify: true }).catch(() => undefined);
  return started;
}

async function bossPublisher(): Promise<Publisher> {
  const started = await boss();
  return {
    publish: ([first, ...more]) =>
      more.length === 0
        ? started.send(QUEUE, first)
        : started.insert(
            QUEUE,
            [first!, ...more].map((data) => ({ data })),
          ),
    stop: () => started.stop({ graceful: false }),
  };
}

async function bossWorker(take: (data: Sent) => void): Promise<Worker> {
  const started = await boss();
  const options = {
    batchSize: 100,
    localConcurrency: 4,
    pollingIntervalSeconds: 0.5,
    burstWhenBatchFull: true,
  };
  await started.work<Sent>(QUEUE, options, async (jobs) => {
    for (const { data } of jobs) take(data);
  });
  const sql = `SELECT count(*)::int AS n FROM pgboss.job WHERE name = '${QUEUE}' AND state < 'completed'`;
  return { kept: (client) => countIn(client, sql), stop: () => started.stop({ graceful: false }) };
}

async function countIn(client: Client, sql: string): Promise<number> {
  return (await client.query<{ n: number }>(sql)).rows[0]!.n;
}

/**
 * Delivery against a model: random events, published by clients outside of the server, while the server, its handlers and its database's connections
 * are killed. Handlers tell an oracle in this process what they are given and what they have done before they acknowledge it; what the store holds is
 * looked up past the server. See `support/delivery-model.ts` for what must be true.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { PostgresServer } from '../conformance/store/support/postgres-server.ts';
import { ask } from '../e2e/support/admin-api.ts';
import { isolatedEnv } from '../e2e/support/fulcrum-process.ts';
import { dataFolder, ServerProcess, type ServerProcessOptions } from '../e2e/support/server-process.ts';
import { deliveryApp } from './support/delivery-app.ts';
import { DeliveryModel } from './support/delivery-model.ts';
import { DeliveryOracle } from './support/delivery-oracle.ts';
import { Publishers } from './support/delivery-publishers.ts';
import { keptInPostgres, keptInSqlite, type KeptWork } from './support/kept-work.ts';
import { seeded } from './support/seeded.ts';

const FULL = process.env['FULCRUM_FULL'] === '1';
const EVENTS = FULL ? 10_000 : 1_000;
/** Of one round of the faults; in full they come ten times as often, with as many events in between. */
const ROUNDS = FULL ? 10 : 1;
const LOOK_EVERY_MS = 100;
/** Of a dead server's leases on Postgres: so long others do not touch them. */
const QUIET_WITHIN_MS = 90_000;

type Fault = 'server' | 'function' | 'service' | 'connections' | 'restart' | 'switch';

class Scene {
  readonly model = new DeliveryModel();
  readonly #t: TestContext;
  readonly #options: ServerProcessOptions;
  #server: ServerProcess;
  readonly #oracle: DeliveryOracle;
  readonly #kept: KeptWork & { endConnections?(): Promise<number> };
  readonly #clear: () => Promise<void>;
  #looking = true;
  #mode: 'function' | 'service' = 'function';
  readonly #looks: Promise<void>;

  /** @param clear is called at the end, behind what uses the database. */
  static async start(t: TestContext, databaseUrl: string | null, clear: () => Promise<void>): Promise<Scene> {
    const env = { ...isolatedEnv(), ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }) };
    const options = { env, data: dataFolder(t), args: databaseUrl === null ? [] : ['--make-key'] };
    const model = new DeliveryModel();
    const oracle = await DeliveryOracle.start(t, model);
    const server = await ServerProcess.start(t, options);
    const { path } = await deliveryApp(t, oracle.url);
    const done = await server.run('deploy', path, '--no-typecheck');
    assert.equal(done.code, 0, done.stdout + done.stderr);
    const kept =
      databaseUrl === null
        ? keptInSqlite(join(options.data, 'fulcrum.db'))
        : await keptInPostgres(databaseUrl);
    const scene = new Scene(t, options, model, server, oracle, kept, clear);
    t.after(() => scene.#end());
    return scene;
  }

  private constructor(
    t: TestContext,
    options: ServerProcessOptions,
    model: DeliveryModel,
    server: ServerProcess,
    oracle: DeliveryOracle,
    kept: KeptWork,
    clear: () => Promise<void>,
  ) {
    this.#t = t;
    this.#options = options;
    this.model = model;
    this.#server = server;
    this.#oracle = oracle;
    this.#kept = kept;
    this.#clear = clear;
    this.#looks = this.#look();
  }

  url = (): string => this.#server.url;

  async befall(fault: Fault): Promise<void> {
    if (fault === 'server') await this.#killServer();
    else if (fault === 'restart') await this.#restart();
    else if (fault === 'switch') await this.#switch();
    else if (fault === 'connections') await this.#kept.endConnections!();
    else await this.#killInstances(fault === 'function' ? 'fn' : 'svc');
  }

  /** Until all is done with or given up. */
  async quiet(): Promise<void> {
    const endMs = performance.now() + QUIET_WITHIN_MS;
    for (;;) {
      const left = (await this.#kept.look()).filter(({ state }) => state !== 'dead');
      if (left.length === 0) return;
      if (performance.now() > endMs)
        throw new Error(
          `not done with in ${QUIET_WITHIN_MS} ms: ${JSON.stringify(left.slice(0, 10))}\n${this.model.violations.join('\n')}\n${this.#server.output.slice(-3_000)}`,
        );
      await wait(LOOK_EVERY_MS);
    }
  }

  async atEnd(): Promise<void> {
    this.model.atEnd(await this.#kept.look());
  }

  async #killServer(): Promise<void> {
    this.#server.signal('SIGKILL');
    this.#oracle.nextGeneration();
    await this.#server.exited;
    this.model.killed(null, await this.#kept.look(), false);
    this.#server = await ServerProcess.start(this.#t, this.#options);
  }

  /** In order: what is under way is finished, and nothing may be done again for it. */
  async #restart(): Promise<void> {
    this.#server.signal('SIGTERM');
    assert.equal(await this.#server.exited, 0, this.#server.output.slice(-2_000));
    this.#oracle.nextGeneration();
    this.#server = await ServerProcess.start(this.#t, this.#options);
  }

  /** Nothing may be done again for it either. */
  async #switch(): Promise<void> {
    this.#mode = this.#mode === 'function' ? 'service' : 'function';
    const done = await this.#server.run('mode', 'fn', this.#mode, '--force');
    assert.equal(done.code, 0, done.stdout + done.stderr);
  }

  async #killInstances(component: 'fn' | 'svc'): Promise<void> {
    const { body } = await ask(this.#options.env, 'GET', `/apps/delivery/components/${component}`);
    for (const { pid } of (body as { instances: { pid: number }[] }).instances) {
      // One that starts has none yet, and 0 would be all processes of the test's own group.
      if (pid === 0) continue;
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // A function's has ended by itself.
      }
    }
    this.model.killed(component, await this.#kept.look(), true);
  }

  /** What is gone is learnt of as it goes: whatever comes after that is a repeat of what was acknowledged. */
  async #look(): Promise<void> {
    while (this.#looking) {
      const looked = this.model.beforeLook();
      looked(await this.#kept.look());
      await wait(LOOK_EVERY_MS);
    }
  }

  async #end(): Promise<void> {
    this.#looking = false;
    await this.#looks.catch(() => undefined);
    await this.#kept.close();
    await this.#clear();
  }
}

async function deliver(
  t: TestContext,
  faults: readonly Fault[],
  databaseUrl: string | null = null,
  clear: () => Promise<void> = async () => undefined,
): Promise<void> {
  const seed = Number(process.env['FULCRUM_SEED'] ?? Date.now() % 1e9);
  t.diagnostic(`FULCRUM_SEED=${seed}`);
  const random = seeded(seed);
  const scene = await Scene.start(t, databaseUrl, clear);
  const { model } = scene;
  const publishers = new Publishers({ model, random, url: scene.url, count: EVENTS });
  t.after(() => publishers.stop());
  const all = Array.from({ length: ROUNDS }, () => faults).flat();
  for (const [i, fault] of all.entries()) {
    await publishers.accepted(((i + 1) * EVENTS) / (all.length + 2));
    t.diagnostic(`${Math.round(performance.now())} ms, ${model.acceptedCount} accepted: ${fault}`);
    await scene.befall(fault);
    assert.deepEqual(model.violations, [], `after ${all.slice(0, i + 1).join(', ')}; seed ${seed}`);
  }
  await publishers.over;
  await scene.quiet();
  await scene.atEnd();
  assert.deepEqual(model.violations, [], `seed ${seed}`);
  // What was done with stays done with.
  await scene.befall('server');
  await scene.quiet();
  await scene.atEnd();
  assert.deepEqual(model.violations, [], `after the last start; seed ${seed}`);
  t.diagnostic(
    `${model.acceptedCount} events accepted, ${publishers.duplicates} duplicates refused, ${model.repeats} repeats, all by what was killed`,
  );
  assert.ok(model.acceptedCount > EVENTS * 0.8, `only ${model.acceptedCount} were accepted`);
}

test('events on SQLite are done once each, whatever is killed', async (t) => {
  await deliver(t, ['function', 'server', 'service', 'switch', 'restart', 'function']);
});

const postgres = await PostgresServer.start();

test(
  'the same on Postgres, whose connections are ended as well',
  { skip: typeof postgres === 'string' ? postgres : false },
  async (t) => {
    const { place, clear } = await (postgres as PostgresServer).newDatabase();
    const faults = ['connections', 'function', 'connections', 'server', 'service', 'connections'] as const;
    await deliver(t, faults, place, clear);
  },
);

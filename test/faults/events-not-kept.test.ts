/** A store that cannot be written: who publishes is told so, nothing that was accepted is lost, and work goes on when it can be. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { PostgresServer } from '../conformance/store/support/postgres-server.ts';
import { ask } from '../e2e/support/admin-api.ts';
import { isolatedEnv } from '../e2e/support/fulcrum-process.ts';
import { dataFolder, ServerProcess, type ServerProcessOptions } from '../e2e/support/server-process.ts';
import { deliveryApp } from './support/delivery-app.ts';
import { DeliveryModel } from './support/delivery-model.ts';
import { DeliveryOracle } from './support/delivery-oracle.ts';
import { keptInPostgres, keptInSqlite, type KeptWork } from './support/kept-work.ts';

const DISK_MB = 48;
const BALLAST = Buffer.alloc(256 * 1024);
const MOST_TRIES = 300;
const WITHIN_MS = 60_000;

/** A server with an app that takes events, and all that must come true of those that it accepts. */
class Scene {
  readonly model = new DeliveryModel();
  readonly server: ServerProcess;
  readonly #env: NodeJS.ProcessEnv;
  #next = 0;

  static async start(t: TestContext, options: ServerProcessOptions): Promise<Scene> {
    const server = await ServerProcess.start(t, options);
    const scene = new Scene(options.env, server);
    const oracle = await DeliveryOracle.start(t, scene.model);
    const { path } = await deliveryApp(t, oracle.url);
    const done = await server.run('deploy', path, '--no-typecheck');
    assert.equal(done.code, 0, done.stdout + done.stderr);
    return scene;
  }

  private constructor(env: NodeJS.ProcessEnv, server: ServerProcess) {
    this.#env = env;
    this.server = server;
  }

  /** From outside. @returns the answer's status and code. */
  async publish(more: object = {}, filling = ''): Promise<{ status: number; code: string | null }> {
    const data = this.#plan(filling);
    const order = { type: 'work.fn', data, ...more };
    const { status, body } = await ask(this.#env, 'POST', '/apps/delivery/events', order);
    const { published, code } = body as { published?: { id: string }[]; code?: string };
    if (published !== undefined) this.model.accepted(data.n, published[0]!.id);
    return { status, code: code ?? null };
  }

  /** From a component. @returns the code that `publish` rejected with; null: it is kept. */
  async publishInside(filling: string): Promise<string | null> {
    const data = this.#plan(filling);
    const body = JSON.stringify({ events: [{ type: 'work.fn', data, options: {} }], inOrder: false });
    const answer = await fetch(this.server.url, { method: 'POST', body });
    assert.equal(answer.status, 200);
    const [{ id, error } = {}] = (await answer.json()) as { id?: string; error?: string }[];
    if (id !== undefined) this.model.accepted(data.n, id);
    return error ?? null;
  }

  /** Tries until it is refused: what is free within the store's files is used up first. */
  async untilRefused(): Promise<{ status: number; code: string | null }> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const answer = await this.publish({}, 'x'.repeat(200_000));
      if (answer.status >= 300) return answer;
    }
    throw new Error(`${MOST_TRIES} events were accepted by a store that cannot be written`);
  }

  async untilAccepted(): Promise<void> {
    const endMs = performance.now() + WITHIN_MS;
    while ((await this.publish()).status >= 300) {
      if (performance.now() > endMs) throw new Error(`still refused: ${this.server.output.slice(-2_000)}`);
      await wait(100);
    }
  }

  async untilDone(kept: KeptWork): Promise<void> {
    const endMs = performance.now() + WITHIN_MS;
    while ((await kept.look()).length > 0) {
      if (performance.now() > endMs)
        throw new Error(`${JSON.stringify(await kept.look())}\n${this.server.output.slice(-2_000)}`);
      await wait(100);
    }
    this.model.atEnd([]);
    assert.deepEqual(this.model.violations, []);
  }

  #plan(filling: string): { n: number; filling: string } & Record<string, unknown> {
    const n = this.#next++;
    this.model.begins(
      {
        n,
        type: 'work.fn',
        takers: ['fn'],
        key: null,
        dedupe: null,
        delayMs: 0,
        poison: false,
        again: 0,
        ackAtOnce: false,
      },
      Date.now(),
    );
    return { n, poison: false, again: 0, ackAtOnce: n % 2 === 0, pauseMs: 0, filling };
  }
}

/** A data folder on a file system of its own that holds little. Null where only root may make one. */
function smallDisk(t: TestContext): string | null {
  const disk = mkdtempSync(join(tmpdir(), 'fulcrum-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m,mode=711`, 'tmpfs', disk]);
  t.after(() => {
    if (mounted.status === 0) spawnSync('umount', ['-l', disk]);
    rmSync(disk, { recursive: true, force: true });
  });
  if (mounted.status !== 0) return null;
  const data = join(disk, 'data');
  mkdirSync(data, { mode: 0o711 });
  return data;
}

/** Takes all that is free. */
function fill(file: string): void {
  for (;;) {
    try {
      appendFileSync(file, BALLAST);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
      return;
    }
  }
}

test('a full disk: publishing fails with 503, nothing accepted is lost, and work goes on when there is space', async (t) => {
  const data = smallDisk(t);
  if (data === null) return t.skip('a small file system cannot be mounted here: that takes root');
  const scene = await Scene.start(t, { env: isolatedEnv(), data });
  const kept = keptInSqlite(join(data, 'fulcrum.db'));
  t.after(() => kept.close());
  for (let i = 0; i < 10; i++) assert.equal((await scene.publish()).status, 202);
  // They fall due while the disk is full.
  for (let i = 0; i < 10; i++) assert.equal((await scene.publish({ delay: '1s' })).status, 202);

  const ballast = join(dirname(data), 'ballast');
  fill(ballast);
  const refused = await scene.untilRefused();
  assert.deepEqual(refused, { status: 503, code: 'store-failed' });
  fill(ballast);
  assert.equal(await scene.publishInside('x'.repeat(500_000)), 'store-failed');

  rmSync(ballast);
  await scene.untilAccepted();
  await scene.untilDone(kept);
});

const postgres = await PostgresServer.start();

test(
  'a database that is read-only for a while: likewise',
  { skip: typeof postgres === 'string' ? postgres : false },
  async (t) => {
    const { place, clear } = await (postgres as PostgresServer).newDatabase();
    const env = { ...isolatedEnv(), DATABASE_URL: place };
    const scene = await Scene.start(t, { env, data: dataFolder(t), args: ['--make-key'] });
    const kept = await keptInPostgres(place);
    t.after(async () => {
      await kept.close();
      await clear();
    });
    const name = new URL(place).pathname.slice(1);
    for (let i = 0; i < 10; i++) assert.equal((await scene.publish()).status, 202);
    for (let i = 0; i < 10; i++) assert.equal((await scene.publish({ delay: '1s' })).status, 202);

    // As a node that has become another's standby.
    await kept.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await kept.endConnections();
    const refused = await scene.untilRefused();
    assert.deepEqual(refused, { status: 503, code: 'store-failed' });
    assert.equal(await scene.publishInside(''), 'store-failed');

    await kept.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
    await kept.endConnections();
    await scene.untilAccepted();
    await scene.untilDone(kept);
  },
);

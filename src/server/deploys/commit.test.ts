import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import { FakeClock } from '../../base/fake-clock.ts';
import { silentLogger } from '../../base/log.ts';
import type { AppStore } from '../../model/app-record.ts';
import { releaseManifest } from '../../control/fixtures/fake-host.ts';
import { openStore } from '../../store/open-store.ts';
import type { Store } from '../../store/store.ts';
import type { LiveRelease } from '../live-release.ts';
import type { RunningApp } from '../running-app.ts';
import { Claims } from './claims.ts';
import { commit, OutcomeUnknown, type CommitOptions } from './commit.ts';

const lost = (): FulcrumError => new FulcrumError('store-failed', 'The connection was lost.');

async function scene(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'fulcrum-commit-'));
  const path = join(folder, 'fulcrum.db');
  const store = await openStore({ databaseUrl: null, path, clock: systemClock, logger: silentLogger });
  t.after(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const nothing = {
    hosts: [],
    prefix: '',
    createdAtMs: 0,
    serving: null,
    canary: null,
    modes: {},
    limits: {},
  };
  await store.apps.create({ id: 'shop', name: 'shop', environment: 'production', ...nothing });
  const createdAtMs = 0;
  const add = (): Promise<unknown> =>
    store.releases.add({
      app: 'shop',
      manifest: releaseManifest({ files: [] }),
      createdAtMs,
      createdBy: 'ci',
      note: '',
    });
  await add();
  await add();
  await store.apps.update('shop', 1, { serving: 1 }, { number: 1, state: 'healthy', failure: null });
  const routed: (number | null)[] = [];
  const one = { number: 1 } as LiveRelease;
  const spec = { groups: new Map() };
  const live = { number: 2, spec, choice: () => null } as unknown as LiveRelease;
  const app = {
    id: 'shop',
    serving: one,
    canary: null as LiveRelease | null,
    restore(serving: LiveRelease) {
      this.serving = serving;
    },
  };
  const options = (apps: Partial<AppStore> = {}): CommitOptions => ({
    store: { apps: { ...store.apps, ...apps } },
    routes: { set: ({ serving }) => void routed.push(serving!.number) },
    claims: new Claims(store.apps),
    clock: systemClock,
    app: app as unknown as RunningApp,
    live,
    changes: { serving: 2, canary: null },
    claim: null,
    proves: 2,
    route: () => void (app.serving = live),
  });
  return { store, app, routed, options };
}

async function kept(store: Store): Promise<{ serving: number | null; state: string }> {
  return {
    serving: (await store.apps.get('shop'))!.serving,
    state: (await store.releases.get('shop', 2))!.state,
  };
}

test('a release is sound from the moment at which it serves', async (t) => {
  const { store, app, routed, options } = await scene(t);
  await commit(options());
  assert.deepEqual(await kept(store), { serving: 2, state: 'healthy' });
  assert.deepEqual([app.serving.number, routed], [2, [2]]);
});

test('where the gateway refuses, all is as before and the release has failed', async (t) => {
  const { store, app, options } = await scene(t);
  const refusing = { ...options(), routes: { set: () => assert.fail('no such proxy') } };
  await assert.rejects(commit(refusing), /no such proxy/);
  assert.deepEqual(await kept(store), { serving: 1, state: 'failed' });
  assert.equal(app.serving.number, 1);
});

test('a change that the store kept without being able to say so is a change', async (t) => {
  const { store, app, options } = await scene(t);
  const update: AppStore['update'] = async (...change) => {
    await store.apps.update(...change);
    throw lost();
  };
  await commit(options({ update }));
  assert.deepEqual(await kept(store), { serving: 2, state: 'healthy' });
  assert.equal(app.serving.number, 2);
});

test('one that it did not keep is none, and cannot come late', async (t) => {
  const { store, app, options } = await scene(t);
  let late: Parameters<AppStore['update']> | null = null;
  const update: AppStore['update'] = async (...change) => {
    if (late !== null) return await store.apps.update(...change);
    late = change;
    throw lost();
  };
  await assert.rejects(commit(options({ update })), { code: 'store-failed', message: /connection was lost/ });
  await assert.rejects(store.apps.update(...late!), { code: 'conflict' });
  assert.deepEqual(await kept(store), { serving: 1, state: 'failed' });
  assert.equal(app.serving.number, 1);
});

test('where the store cannot be asked that is said, and nothing is taken for granted', async (t) => {
  const { store, app, options } = await scene(t);
  const clock = new FakeClock();
  let isLost = false;
  const update: AppStore['update'] = () => {
    isLost = true;
    return Promise.reject(lost());
  };
  const get: AppStore['get'] = async (id) => {
    if (isLost) {
      setImmediate(() => void clock.advance(1_000));
      throw lost();
    }
    return await store.apps.get(id);
  };
  await assert.rejects(commit({ ...options({ update, get }), clock }), OutcomeUnknown);
  assert.deepEqual(await kept(store), { serving: 1, state: 'uploaded' });
  assert.equal(app.serving.number, 1);
});

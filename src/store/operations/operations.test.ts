import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { hasCode } from '../../../test/conformance/store/support/has-code.ts';
import { usageBatch } from '../../../test/conformance/usage-record.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/log.ts';
import { SqliteThread, startSqliteWorker } from '../sqlite-thread.ts';

test('usage that came after the rest of an app had gone goes with the app', async (t) => {
  const database = await openThread(t);
  const block = { part: 'p', component: 'c', mode: 'function' as const, firstMs: 1, lastMs: 1, count: 1 };
  for (const app of ['shop', 'other']) {
    await database.call(
      'usage.append',
      usageBatch({
        app,
        arrivals: [{ ...block, part: app, bytes: Uint8Array.of(1) }],
      }),
    );
  }
  await database.call('apps.remove', 'shop');
  const query = { component: null, fromMs: 0, toMs: 9, limit: 9, after: null };
  assert.equal((await database.call('usage.arrivals', { ...query, app: 'shop' })).items.length, 0);
  assert.equal((await database.call('usage.arrivals', { ...query, app: 'other' })).items.length, 1);
});

test('an upload of which a sweep has taken a part cannot be finished', async (t) => {
  const database = await openThread(t);
  const upload = 'u';
  const piece = (number: number) => ({ number, encoding: 'raw' as const, bytes: Uint8Array.of(number) });
  for (let number = 0; number < 40; number++) {
    await database.call('blobs.piece', { upload, piece: piece(number), nowMs: 1_000 });
  }
  // One step of several: its end is not reached yet.
  assert.equal(await database.call('blobs.clear', 2_000), true);
  await assert.rejects(
    database.call('blobs.piece', { upload, piece: piece(40), nowMs: 3_000 }),
    hasCode('store-failed', /swept away/),
  );
  await assert.rejects(
    database.call('blobs.finish', {
      digest: 'd',
      upload,
      pieces: 40,
      sizeBytes: 40,
      replaces: null,
      nowMs: 3_000,
    }),
    hasCode('store-failed', /swept away/),
  );
  while (await database.call('blobs.clear', 2_000));
  assert.equal(await database.call('blobs.read', { upload, number: 39 }), null);
});

async function openThread(t: TestContext): Promise<SqliteThread> {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-store-'));
  const database = new SqliteThread({
    path: join(folder, 'store.db'),
    busyTimeoutMs: 5_000,
    clock: systemClock,
    logger: silentLogger,
    startWorker: startSqliteWorker,
  });
  t.after(async () => {
    await database.close();
    await rm(folder, { recursive: true, force: true });
  });
  return database;
}

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { usageBatch } from '../../test/conformance/usage-record.ts';
import { systemClock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { silentLogger } from '../base/log.ts';
import { SqliteThread, startSqliteWorker } from './sqlite-thread.ts';

const EMPTY = usageBatch();

test('a thread that ends takes its calls with it, and the next call begins a new one', async (t) => {
  const { thread, path, workers } = await openThread(t);
  // Held by another, so that the call is still under way when its thread ends.
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  const failed = assert.rejects(
    thread.call('usage.append', EMPTY),
    (error) =>
      error instanceof FulcrumError &&
      error.code === 'store-failed' &&
      error.message.includes('it is started again'),
  );
  await Promise.all([failed, workers[0]!.terminate()]);
  other.close();
  await thread.call('usage.append', EMPTY);
  assert.equal(workers.length, 2);
});

test('more calls than may wait are refused at once', async (t) => {
  const { thread } = await openThread(t);
  const calls = Array.from({ length: 1_001 }, () => thread.call('usage.append', EMPTY));
  const results = await Promise.allSettled(calls);
  const refused = results.filter((result) => result.status === 'rejected');
  assert.equal(refused.length, 1);
  assert.match(String(refused[0]!.reason), /too slow: 1000 calls wait/);
  await thread.call('usage.append', EMPTY);
});

test('a call that fails harms no other', async (t) => {
  const { thread } = await openThread(t);
  const bad = { app: 'shop', component: null, fromMs: 0, toMs: 1, limit: 1, after: 'nonsense' };
  const [failed, went] = await Promise.allSettled([
    thread.call('usage.minutes', bad),
    thread.call('usage.append', EMPTY),
  ]);
  assert.deepEqual([failed.status, went.status], ['rejected', 'fulfilled']);
});

async function openThread(
  t: TestContext,
): Promise<{ thread: SqliteThread; path: string; workers: readonly Worker[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-store-'));
  const path = join(folder, 'store.db');
  const workers: Worker[] = [];
  const thread = new SqliteThread({
    path,
    busyTimeoutMs: 300,
    clock: systemClock,
    logger: silentLogger,
    startWorker: (settings) => {
      const worker = startSqliteWorker(settings);
      workers.push(worker);
      return worker;
    },
  });
  t.after(async () => {
    await thread.close();
    await rm(folder, { recursive: true, force: true });
  });
  await thread.open();
  return { thread, path, workers };
}

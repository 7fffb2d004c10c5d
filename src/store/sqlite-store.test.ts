import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { usageBatch } from '../../test/conformance/usage-record.ts';
import { systemClock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { silentLogger } from '../base/log.ts';
import type { UsageQuery } from '../model/usage-store.ts';
import { openSqliteStore } from './sqlite-store.ts';
import type { Store } from './store.ts';

const EVERYTHING: UsageQuery = {
  app: 'shop',
  component: null,
  fromMs: 0,
  toMs: 8.64e15,
  limit: 10_000,
  after: null,
};
const EMPTY = usageBatch();

test('the file, and what SQLite keeps beside it, is for its owner alone', async (t) => {
  const path = join(await newFolder(t), 'made', 'on', 'demand', 'store.db');
  const store = await open(t, path);
  await store.usage.append(EMPTY);
  const files = await readdir(join(path, '..'));
  assert.deepEqual(files.sort(), ['store.db', 'store.db-shm', 'store.db-wal']);
  for (const file of files) {
    assert.equal((await stat(join(path, '..', file))).mode & 0o777, 0o600, file);
  }
});

test('a file that others may read is made private', async (t) => {
  const path = join(await newFolder(t), 'store.db');
  await (await open(t, path)).close();
  await chmod(path, 0o644);
  await (await open(t, path)).close();
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('a damaged file is refused, told by its path, and left as it is', async (t) => {
  const path = join(await newFolder(t), 'store.db');
  const noise = Buffer.alloc(8_192, 'not a database ');
  await writeFile(path, noise);
  await refused(path, /damaged or no SQLite database\. Restore it from a backup, or move it away/);
  assert.deepEqual(await readFile(path), noise);
});

test('a folder, or a path through a file, is refused with what to do', async (t) => {
  const folder = await newFolder(t);
  await refused(folder, /is a folder\. Give the path of a file/);
  await writeFile(join(folder, 'file'), '');
  await refused(join(folder, 'file', 'store.db'), /part of its path is a file/);
});

test(
  'a file that may not be written is refused',
  { skip: process.getuid?.() === 0 && 'root may write anything' },
  async (t) => {
    const folder = join(await newFolder(t), 'locked');
    await mkdir(folder, { mode: 0o500 });
    await refused(join(folder, 'store.db'), /cannot be written\. Make the file and its folder writable/);
  },
);

test("another program's database is refused and left as it is", async (t) => {
  const path = join(await newFolder(t), 'store.db');
  const foreign = new DatabaseSync(path);
  foreign.exec('CREATE TABLE theirs (x)');
  foreign.close();
  const before = await readFile(path);
  await refused(path, /database of another program/);
  assert.deepEqual(await readFile(path), before);
});

test('a schema newer than this Fulcrum knows is refused in one sentence', async (t) => {
  const path = join(await newFolder(t), 'store.db');
  await (await open(t, path)).close();
  const newer = new DatabaseSync(path);
  newer.exec("INSERT INTO schema_migrations VALUES (9999, 'from-the-future', 0)");
  newer.close();
  await refused(path, /has schema version 9999, and this Fulcrum knows only \d+: use the newer Fulcrum/);
});

test('a file locked for long is an error that says so; afterwards it goes on', async (t) => {
  const path = join(await newFolder(t), 'store.db');
  const store = await open(t, path, 50);
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  await assert.rejects(store.usage.append(EMPTY), /is locked by another process/);
  other.exec('ROLLBACK');
  other.close();
  await store.usage.append(EMPTY);
});

test('the event loop runs on while the store works', async (t) => {
  const path = join(await newFolder(t), 'store.db');
  const store = await open(t, path);
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  const appended = store.usage.append(EMPTY);
  let turns = 0;
  while (turns < 100) {
    await new Promise((resolve) => setImmediate(resolve));
    turns++;
  }
  other.exec('COMMIT');
  other.close();
  await appended;
});

test('two stores on one file see each other', async (t) => {
  const path = join(await newFolder(t), 'store.db');
  const [one, two] = await Promise.all([open(t, path), open(t, path)]);
  const block = {
    part: 'p',
    component: 'c',
    mode: 'function' as const,
    firstMs: 1,
    lastMs: 1,
    count: 1,
    bytes: new Uint8Array(1),
  };
  await one.usage.append({ ...EMPTY, arrivals: [block] });
  assert.deepEqual((await two.usage.arrivals(EVERYTHING)).items, [block]);
});

test('an open store with nothing to do holds no process', async (t) => {
  const path = join(await newFolder(t), 'store.db');
  const script = `
    import { openSqliteStore } from ${JSON.stringify(new URL('./sqlite-store.ts', import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL('../base/clock.ts', import.meta.url).href)};
    import { silentLogger } from ${JSON.stringify(new URL('../base/log.ts', import.meta.url).href)};
    const store = await openSqliteStore({ path: ${JSON.stringify(path)}, clock: systemClock, logger: silentLogger });
    await store.usage.append(${JSON.stringify(EMPTY)});
  `;
  const file = join(path, '..', 'script.mjs');
  await writeFile(file, script);
  // A thread stands for the process: it too ends when nothing holds it.
  const worker = new Worker(file);
  const [code] = (await once(worker, 'exit')) as [number];
  assert.equal(code, 0);
});

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-store-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function open(t: TestContext, path: string, busyTimeoutMs?: number): Promise<Store> {
  const store = await openSqliteStore({
    path,
    clock: systemClock,
    logger: silentLogger,
    ...(busyTimeoutMs === undefined ? {} : { busyTimeoutMs }),
  });
  t.after(() => store.close());
  return store;
}

async function refused(path: string, sentence: RegExp): Promise<void> {
  await assert.rejects(openSqliteStore({ path, clock: systemClock, logger: silentLogger }), (error) => {
    assert.ok(error instanceof FulcrumError);
    assert.equal(error.code, 'store-failed');
    assert.match(error.message, sentence);
    assert.ok(error.message.includes(path));
    return true;
  });
}

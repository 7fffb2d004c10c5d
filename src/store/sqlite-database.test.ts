import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { SqliteDatabase } from './sqlite-database.ts';
import { storeError } from './sqlite-errors.ts';

test('a transaction that throws leaves nothing behind', async (t) => {
  const database = await openDatabase(t);
  database.exec('CREATE TABLE first (x TEXT) STRICT');
  for (const durability of ['process', 'power'] as const) {
    assert.throws(
      () =>
        database.transaction(durability, () => {
          database.exec("INSERT INTO first VALUES ('x')");
          throw new Error('no');
        }),
      /no/,
    );
  }
  assert.equal(database.statement('SELECT count(*) AS n FROM first').get()!['n'], 0);
});

test('each transaction runs with the durability that it names', async (t) => {
  const database = await openDatabase(t);
  const synchronous = (): unknown => database.statement('PRAGMA synchronous').get()!['synchronous'];
  assert.equal(database.transaction('process', synchronous), 1);
  assert.equal(database.transaction('power', synchronous), 2);
  assert.equal(database.transaction('process', synchronous), 1);
});

test('a full disk is told as one, leaves nothing half done, and is over once there is room', async (t) => {
  const database = await openDatabase(t);
  database.exec('CREATE TABLE first (x TEXT) STRICT');
  const fill = (): void =>
    database.transaction('process', () => {
      for (let i = 0; i < 50; i++) database.statement('INSERT INTO first VALUES (?)').run('x'.repeat(4_000));
    });
  // SQLite's own limit on the file gives the same error as the disk's.
  database.exec('PRAGMA max_page_count = 20');
  assert.throws(fill, (error) => {
    const { code, message } = storeError(error, database.path);
    assert.equal(code, 'store-failed');
    assert.match(message, /The disk is full, so the store .* cannot grow/);
    return true;
  });
  assert.equal(database.statement('SELECT count(*) AS n FROM first').get()!['n'], 0);
  database.exec('PRAGMA max_page_count = 1000000');
  fill();
  assert.equal(database.statement('SELECT count(*) AS n FROM first').get()!['n'], 50);
});

test('pages that much deleting has freed are given back', async (t) => {
  const database = await openDatabase(t);
  database.exec('CREATE TABLE first (x TEXT) STRICT');
  const pages = (): number => Number(database.statement('PRAGMA page_count').get()!['page_count']);
  const insert = database.statement('INSERT INTO first VALUES (?)');
  for (let i = 0; i < 200; i++) insert.run('x'.repeat(4_000));
  const full = pages();
  database.exec('DELETE FROM first');
  database.shrink(1_000);
  assert.ok(pages() < full / 4, `${pages()} of ${full} pages`);
});

async function openDatabase(t: TestContext): Promise<SqliteDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-store-'));
  const database = SqliteDatabase.open(join(folder, 'store.db'), 5_000);
  t.after(async () => {
    database.close();
    await rm(folder, { recursive: true, force: true });
  });
  return database;
}

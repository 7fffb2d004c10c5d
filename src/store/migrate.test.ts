import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { migrate } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import { SqliteDatabase } from './sqlite-database.ts';

const FIRST = { version: 1, name: 'first', sqlite: 'CREATE TABLE first (x TEXT) STRICT', postgres: '' };
const SECOND = {
  version: 2,
  name: 'second',
  sqlite: 'CREATE TABLE second (x TEXT) STRICT; INSERT INTO first VALUES (1)',
  postgres: '',
};

test('migrations are numbered from 1 without gaps', () => {
  assert.deepEqual(
    migrations.map((migration) => migration.version),
    migrations.map((_, i) => i + 1),
  );
});

test('each is applied once, in order, and remembered', async (t) => {
  const database = await openDatabase(t);
  assert.deepEqual(migrate(database, [FIRST], 5), ['first']);
  assert.deepEqual(migrate(database, [FIRST], 6), []);
  assert.deepEqual(migrate(database, [FIRST, SECOND], 7), ['second']);
  assert.equal(
    database
      .statement(
        'SELECT group_concat(version || name || applied_at_ms) AS all_of_them FROM schema_migrations',
      )
      .get()!['all_of_them'],
    '1first5,2second7',
  );
  assert.equal(database.statement('SELECT count(*) AS n FROM first').get()!['n'], 1);
});

test('where one fails, none was applied', async (t) => {
  const database = await openDatabase(t);
  const broken = {
    version: 2,
    name: 'broken',
    sqlite: 'CREATE TABLE half (x TEXT) STRICT; SELECT nonsense FROM nowhere',
    postgres: '',
  };
  assert.throws(() => migrate(database, [FIRST, broken], 0));
  const tables = database.statement("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  assert.deepEqual(tables, []);
  assert.deepEqual(migrate(database, [FIRST, SECOND], 0), ['first', 'second']);
});

test('a store that is further on is refused and not touched', async (t) => {
  const database = await openDatabase(t);
  migrate(database, [FIRST, SECOND], 0);
  assert.throws(() => migrate(database, [FIRST], 0), /schema version 2, and this Fulcrum knows only 1/);
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

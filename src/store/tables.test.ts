import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { migrate } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import type { Table } from './table.ts';
import { tables } from './tables.ts';

const TYPES: Record<string, string> = { TEXT: 'text', INTEGER: 'integer', REAL: 'real', BLOB: 'bytes' };

test('the tables as data are what the migrations make: names, order, types and keys', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-store-'));
  const database = SqliteDatabase.open(join(folder, 'store.db'), 5_000);
  t.after(async () => {
    database.close();
    await rm(folder, { recursive: true, force: true });
  });
  migrate(database, migrations, 0);
  const made = database
    .statement(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migrations'",
    )
    .all()
    .map((row) => String(row['name']));
  assert.deepEqual(made.sort(), Object.keys(tables).sort());
  for (const [name, { columns, key }] of Object.entries<Table>(tables)) {
    const found = database.statement(`SELECT * FROM pragma_table_info('${name}')`).all();
    assert.deepEqual(
      // Of a bulk insert the values stand in this order.
      found.map((column) => [column['name'], TYPES[String(column['type'])], column['notnull'] === 0]),
      Object.entries(columns).map(([column, { type, nullable }]) => [column, type, nullable ?? false]),
      name,
    );
    const keyed = found
      .filter((column) => Number(column['pk']) > 0)
      .sort((a, b) => Number(a['pk']) - Number(b['pk']));
    assert.deepEqual(
      keyed.map((column) => column['name']),
      key,
      name,
    );
  }
});

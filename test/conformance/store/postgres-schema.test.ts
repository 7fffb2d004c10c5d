import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Table } from '../../../src/store/table.ts';
import { tables } from '../../../src/store/tables.ts';
import { openPlace } from './support/store-under-test.ts';
import { PostgresServer } from './support/postgres-server.ts';

const started = await PostgresServer.start();
const skip = typeof started === 'string' ? started : false;
const server = started as PostgresServer;

const TYPES: Record<string, string> = {
  text: 'text',
  bigint: 'integer',
  'double precision': 'real',
  bytea: 'bytes',
};

test(
  "Postgres's tables are SQLite's: names, types, keys; and texts are in the order of their bytes",
  { skip },
  async (t) => {
    const { place, clear } = await server.newDatabase();
    t.after(clear);
    await (await openPlace(place)).close();
    const found = await server.query(
      place,
      `SELECT table_name, column_name, data_type, is_nullable, collation_name FROM information_schema.columns
     WHERE table_schema = 'fulcrum' AND table_name <> 'schema_migrations'`,
    );
    const keys = await server.query(
      place,
      `SELECT c.relname AS table, array_to_string(array_agg(a.attname::text ORDER BY k.place), ',') AS key
     FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace,
       unnest(i.indkey) WITH ORDINALITY AS k (attnum, place) JOIN pg_attribute a ON a.attnum = k.attnum
     WHERE i.indisprimary AND n.nspname = 'fulcrum' AND a.attrelid = i.indrelid GROUP BY c.relname`,
    );
    const keyOf = new Map(keys.map((row) => [row['table'], row['key']]));
    assert.deepEqual(
      [...new Set(found.map((row) => String(row['table_name'])))].sort(),
      Object.keys(tables).sort(),
    );
    for (const [name, { columns, key }] of Object.entries<Table>(tables)) {
      const made = found.filter((row) => row['table_name'] === name);
      assert.deepEqual(
        made
          .map((row) => [row['column_name'], TYPES[String(row['data_type'])], row['is_nullable']].join(' '))
          .sort(),
        Object.entries(columns)
          .map(([column, { type, nullable }]) => `${column} ${type} ${nullable ? 'YES' : 'NO'}`)
          .sort(),
        name,
      );
      assert.equal(keyOf.get(name), key.join(), name);
      for (const row of made) {
        if (row['data_type'] === 'text')
          assert.equal(row['collation_name'], 'C', `${name}.${String(row['column_name'])}`);
      }
    }
  },
);

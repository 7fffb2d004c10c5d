import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { outbox, type SqlClient, type SqliteDatabase } from '../../../src/outbox/index.ts';
import { outboxConformance, type OutboxPlace } from './outbox-suite.ts';

async function open(): Promise<OutboxPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-outbox-'));
  const path = join(folder, 'own.db');
  const databases = [new DatabaseSync(path)];
  const own = databases[0]!;
  own.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE orders (id text)');
  return {
    run: async (sql) => {
      if (sql.startsWith('SELECT')) return own.prepare(sql).all();
      own.exec(sql);
      return [];
    },
    transaction: async (work) => {
      own.exec('BEGIN');
      try {
        await work(own as SqliteDatabase as SqlClient & SqliteDatabase);
        own.exec('COMMIT');
      } catch (error) {
        own.exec('ROLLBACK');
        throw error;
      }
    },
    // Every other one on the same connection, the rest on their own.
    relayed: () => {
      databases.push(new DatabaseSync(path));
      return databases.length % 2 === 0 ? own : databases.at(-1)!;
    },
    close: async () => {
      for (const database of databases) database.close();
      await rm(folder, { recursive: true });
    },
  };
}

outboxConformance({ name: 'sqlite', open });

test('a relay on the connection of an open transaction waits for that, and publishes nothing of it', async () => {
  const own = new DatabaseSync(':memory:');
  own.exec(outbox.schema('sqlite'));
  own.exec('BEGIN');
  outbox.enqueue(own, 'a');
  let count = 0;
  const publish = async (): Promise<{ id: string; duplicate: boolean }> => ({
    id: `e_${++count}`,
    duplicate: false,
  });
  const relaying = outbox.relay(own, { publish });
  await new Promise((resolve) => setImmediate(resolve));
  own.exec('ROLLBACK');
  assert.deepEqual(await relaying, { published: 0, refused: 0 });
  assert.equal(count, 0);
  own.close();
});

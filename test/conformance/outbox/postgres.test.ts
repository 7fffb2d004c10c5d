import { test } from 'node:test';
import { Client, Pool } from 'pg';
import type { SqlClient, SqliteDatabase } from '../../../src/outbox/index.ts';
import { PostgresServer } from '../store/support/postgres-server.ts';
import { outboxConformance, type OutboxPlace } from './outbox-suite.ts';

const server = await PostgresServer.start();

async function open(on: PostgresServer): Promise<OutboxPlace> {
  const { place, clear } = await on.newDatabase();
  const pool = new Pool({ connectionString: place, max: 8 });
  const client = new Client({ connectionString: place });
  await client.connect();
  await pool.query('CREATE TABLE orders (id text)');
  let relays = 0;
  return {
    run: async (sql) => (await pool.query<Record<string, unknown>>(sql)).rows,
    transaction: async (work) => {
      const own = await pool.connect();
      try {
        await own.query('BEGIN');
        await work(own as SqlClient as SqlClient & SqliteDatabase);
        await own.query('COMMIT');
      } catch (error) {
        await own.query('ROLLBACK');
        throw error;
      } finally {
        own.release();
      }
    },
    relayed: () => (relays++ % 2 === 0 ? pool : client),
    close: async () => {
      await Promise.all([pool.end(), client.end()]);
      await clear();
    },
  };
}

if (typeof server === 'string') test('outbox on postgres', { skip: server });
else outboxConformance({ name: 'postgres', open: () => open(server) });

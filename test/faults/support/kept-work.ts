import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';
import { POSTGRES_SCHEMA } from '../../../src/store/postgres-migrate.ts';
import type { Kept } from './delivery-model.ts';

/** A look at what the server keeps, past the server. */
export interface KeptWork {
  look(): Promise<readonly Kept[]>;
  close(): Promise<void>;
}

const SQL = 'SELECT data, component, state, attempt FROM work';

interface Row {
  readonly data: Uint8Array;
  readonly component: string;
  readonly state: string;
  readonly attempt: number | string;
}

export function keptInSqlite(path: string): KeptWork {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  const statement = database.prepare(SQL);
  return {
    look: async () => (statement.all() as unknown as Row[]).map(keptOf),
    close: async () => database.close(),
  };
}

export interface KeptInPostgres extends KeptWork {
  /** Ends all connections to the database but this one, as its administrator may. @returns how many. */
  endConnections(): Promise<number>;
  query(sql: string): Promise<unknown>;
}

export async function keptInPostgres(url: string): Promise<KeptInPostgres> {
  const client = new Client({ connectionString: url });
  // Its own connection may be ended with the database.
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`SET search_path TO ${POSTGRES_SCHEMA}`);
  return {
    look: async () => (await client.query<Row>(SQL)).rows.map(keptOf),
    close: () => client.end(),
    query: (sql) => client.query(sql),
    async endConnections() {
      const { rowCount } = await client.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      );
      return rowCount ?? 0;
    },
  };
}

function keptOf({ data, component, state, attempt }: Row): Kept {
  const { n } = JSON.parse(Buffer.from(data).toString()) as { n: number };
  return { n, component, state, attempt: Number(attempt) };
}

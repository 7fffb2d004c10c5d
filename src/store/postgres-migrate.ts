import type { ClientBase } from 'pg';
import { FulcrumError } from '../base/errors.ts';
import { pendingMigrations } from './migrate.ts';
import type { Migration } from './migrations/migration.ts';

export const POSTGRES_SCHEMA = 'fulcrum';

/** Whoever migrates holds this lock until the end of the transaction. Any number; `Fulc` in ASCII. */
const MIGRATION_LOCK = 0x46756c63;
const OLDEST_SERVER = 140_000;

/**
 * Brings the schema forward to the last of `migrations`, all in one transaction; of several servers that start at once one does it, and the
 * others wait. Rejects with `store-failed`: a newer Fulcrum has been here, or the schema is another program's.
 * @returns the names of the migrations that were needed.
 */
export async function migratePostgres(
  client: ClientBase,
  name: string,
  migrations: readonly Migration[],
  nowMs: number,
): Promise<readonly string[]> {
  await refuseUnfit(client, name);
  await client.query('BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0');
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    const current = await postgresSchemaVersion(client, name);
    const pending = pendingMigrations(name, current, migrations);
    if (current === 0) {
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${POSTGRES_SCHEMA};
        CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at_ms BIGINT NOT NULL)`);
    }
    for (const migration of pending) {
      await client.query(migration.postgres);
      await client.query('INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES ($1, $2, $3)', [
        migration.version,
        migration.name,
        Math.floor(nowMs),
      ]);
    }
    await client.query('COMMIT');
    return pending.map((migration) => migration.name);
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** 0 where there is no schema yet. Rejects with `store-failed` where there is one of another program. */
export async function postgresSchemaVersion(client: ClientBase, name: string): Promise<number> {
  const { rows } = await client.query<{ table_name: string; column_name: string }>(
    'SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = $1',
    [POSTGRES_SCHEMA],
  );
  if (rows.length === 0) return 0;
  const columns = rows
    .filter((row) => row.table_name === 'schema_migrations')
    .map((row) => row.column_name)
    .sort();
  if (columns.join() !== 'applied_at_ms,name,version') {
    throw new FulcrumError(
      'store-failed',
      `The schema "${POSTGRES_SCHEMA}" of the database ${name} is another program's. Give Fulcrum a database of its own.`,
    );
  }
  const found = await client.query<{ version: string | null }>(
    'SELECT max(version) AS version FROM schema_migrations',
  );
  return Number(found.rows[0]?.version ?? 0);
}

async function refuseUnfit(client: ClientBase, name: string): Promise<void> {
  const { rows } = await client.query<{ version: string; encoding: string }>(
    "SELECT current_setting('server_version_num') AS version, current_setting('server_encoding') AS encoding",
  );
  const { version, encoding } = rows[0]!;
  if (Number(version) < OLDEST_SERVER) {
    throw new FulcrumError(
      'store-failed',
      `The database ${name} is Postgres ${Math.floor(Number(version) / 10_000)}; Fulcrum needs ${OLDEST_SERVER / 10_000} or newer.`,
    );
  }
  if (encoding !== 'UTF8') {
    throw new FulcrumError(
      'store-failed',
      `The database ${name} has the encoding ${encoding}. Create one with ENCODING 'UTF8'.`,
    );
  }
}

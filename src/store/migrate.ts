import { FulcrumError } from '../base/errors.ts';
import type { Migration } from './migrations/migration.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/**
 * What is to be done to a store that has schema version `current`. Throws `store-failed` where a newer Fulcrum has been there.
 * @param name of the store, as its owner knows it: a path, a URL without a password.
 */
export function pendingMigrations(
  name: string,
  current: number,
  migrations: readonly Migration[],
): readonly Migration[] {
  const known = migrations.at(-1)?.version ?? 0;
  if (current > known) {
    throw new FulcrumError(
      'store-failed',
      `The store ${name} has schema version ${current}, and this Fulcrum knows only ${known}: use the newer Fulcrum that wrote it, or another store.`,
    );
  }
  return migrations.filter((migration) => migration.version > current);
}

/**
 * Brings the schema of an SQLite file forward to the last of `migrations`, all in one transaction: the file is up to date afterwards, or
 * untouched. Throws `store-failed`.
 * @returns the names of the migrations that were needed.
 */
export function migrate(
  database: SqliteDatabase,
  migrations: readonly Migration[],
  nowMs: number,
): readonly string[] {
  // The version is read within the transaction, so that two servers that start together do not both migrate.
  return database.transaction('power', () => {
    database.exec(
      'CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at_ms INTEGER NOT NULL) STRICT',
    );
    const pending = pendingMigrations(database.path, schemaVersion(database), migrations);
    for (const migration of pending) {
      database.exec(migration.sqlite);
      database
        .statement('INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES (?, ?, ?)')
        .run(migration.version, migration.name, Math.floor(nowMs));
    }
    return pending.map((migration) => migration.name);
  });
}

/** 0 where there is no schema yet. */
function schemaVersion(database: SqliteDatabase): number {
  const known = database
    .statement("SELECT 1 AS known FROM sqlite_schema WHERE name = 'schema_migrations'")
    .get();
  if (known === undefined) return 0;
  return Number(
    database.statement('SELECT max(version) AS version FROM schema_migrations').get()?.['version'] ?? 0,
  );
}

import { FulcrumError } from '../base/errors.ts';
import type { Migration } from './migrations/migration.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/**
 * Brings the schema forward to the last of `migrations`, all in one transaction: the file is up to date afterwards, or untouched.
 * Throws `store-failed` where a newer Fulcrum has been here.
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
    const current = Number(
      database.statement('SELECT max(version) AS version FROM schema_migrations').get()?.['version'] ?? 0,
    );
    const known = migrations.at(-1)?.version ?? 0;
    if (current > known) {
      throw new FulcrumError(
        'store-failed',
        `The store ${database.path} has schema version ${current}, and this Fulcrum knows only ${known}: use the newer Fulcrum that wrote it, or another store.`,
      );
    }
    const applied: string[] = [];
    for (const migration of migrations) {
      if (migration.version <= current) continue;
      database.exec(migration.sqlite);
      database
        .statement('INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES (?, ?, ?)')
        .run(migration.version, migration.name, Math.floor(nowMs));
      applied.push(migration.name);
    }
    return applied;
  });
}

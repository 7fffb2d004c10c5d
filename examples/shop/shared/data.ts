import { mkdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** What components keep, in the one folder that they may write: `storage` in the config. */
export const DATA = new URL('../data/', import.meta.url);

const BUSY_MS = 10_000;

/**
 * A SQLite database. Open it when it is first needed and not while the module is loaded: a function's instances are forked from a process
 * that has loaded it already, and no two processes may share an open database.
 * @param file `:memory:` in tests.
 */
export function openDatabase(file: URL | string, schema: string): DatabaseSync {
  if (file instanceof URL) mkdirSync(new URL('.', file), { recursive: true });
  const database = new DatabaseSync(file, { timeout: BUSY_MS });
  // FULL: what is committed outlives a loss of power.
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${schema}`);
  return database;
}

/** Does all of `work` or nothing. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

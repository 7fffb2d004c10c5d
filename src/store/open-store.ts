import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { openSqliteStore } from './sqlite-store.ts';
import type { Store } from './store.ts';

export interface OpenStoreOptions {
  /** `postgres://…`; null: the store is the SQLite file at `path`. */
  readonly databaseUrl: string | null;
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Opens a store and brings its schema up to date: in Postgres where there is a URL, else in one SQLite file. Rejects with `store-failed`: it
 * cannot be reached or written, is damaged, is another program's, or was written by a newer Fulcrum.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { databaseUrl, path, clock, logger } = options;
  if (databaseUrl === null) return openSqliteStore({ path, clock, logger });
  // Loaded only where it is used: most servers keep to one file.
  const { openPostgresStore } = await import('./postgres-store.ts');
  return openPostgresStore({ url: databaseUrl, clock, logger });
}

import { resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { SqliteThread, startSqliteWorker } from './sqlite-thread.ts';
import { storeOver, type Store } from './store.ts';

export interface SqliteStoreOptions {
  /** The database file; made with mode 0600, and its folder with it, where there is none. */
  path: string;
  /** How long a transaction waits for another process that holds the file; 5,000. */
  busyTimeoutMs?: number;
  clock: Clock;
  logger: Logger;
}

/**
 * Opens the store in one SQLite file, on a thread of its own, and brings its schema up to date. Rejects with `store-failed`: the file cannot
 * be written, is damaged, is another program's, or was written by a newer Fulcrum.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const thread = new SqliteThread({
    path: resolve(options.path),
    busyTimeoutMs: options.busyTimeoutMs ?? 5_000,
    clock: options.clock,
    logger: options.logger,
    startWorker: startSqliteWorker,
  });
  await thread.open();
  return storeOver(thread, options.clock);
}

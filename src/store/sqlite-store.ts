import { resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type {
  ArrivalBlock,
  UsageBatch,
  UsageLimits,
  UsageMinute,
  UsagePage,
  UsageQuery,
  UsageRow,
  UsageStore,
} from '../model/usage-store.ts';
import { SqliteThread, startSqliteWorker } from './sqlite-thread.ts';
import type { Store } from './store.ts';

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
  return {
    usage: new SqliteUsageStore(thread),
    close: () => thread.close(),
  };
}

class SqliteUsageStore implements UsageStore {
  readonly #thread: SqliteThread;

  constructor(thread: SqliteThread) {
    this.#thread = thread;
  }

  append(batch: UsageBatch): Promise<void> {
    return this.#thread.call('usage.append', batch);
  }

  minutes(query: UsageQuery): Promise<UsagePage<UsageMinute>> {
    return this.#thread.call('usage.minutes', query);
  }

  arrivals(query: UsageQuery): Promise<UsagePage<ArrivalBlock>> {
    return this.#thread.call('usage.arrivals', query);
  }

  rows(query: UsageQuery): Promise<UsagePage<UsageRow>> {
    return this.#thread.call('usage.rows', query);
  }

  async prune(limits: UsageLimits): Promise<void> {
    while (await this.#thread.call('usage.prune', limits));
  }
}

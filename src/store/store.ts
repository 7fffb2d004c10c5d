import type { UsageStore } from '../model/usage-store.ts';

/** All that a server keeps. Each part is a port of the model; SQLite and Postgres implement them alike. */
export interface Store {
  readonly usage: UsageStore;
  /** Finishes what was asked, then closes. Idempotent. What is asked afterwards rejects with `store-failed`. */
  close(): Promise<void>;
}

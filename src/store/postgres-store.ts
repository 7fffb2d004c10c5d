import { PostgresDatabase, type PostgresOptions } from './postgres-database.ts';
import { storeOver, type Store } from './store.ts';

/**
 * Opens the store in a Postgres database, in a schema of its own, and brings that up to date. Rejects with `store-failed`: the database
 * cannot be reached, refuses the user, is too old, or was written by a newer Fulcrum.
 */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  return storeOver(await PostgresDatabase.open(options), options.clock);
}

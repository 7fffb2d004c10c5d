/** What is used of a Postgres client: one of `pg`, or anything else with the same `query`. */
export interface SqlClient {
  query(text: string, values: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** What is used of a `DatabaseSync` of `node:sqlite`. */
export interface SqliteDatabase {
  prepare(sql: string): { all(...values: (string | number | null | Uint8Array)[]): unknown[] };
  readonly isTransaction: boolean;
}

export type Dialect = 'postgres' | 'sqlite';
export type Value = string | number | null | Uint8Array;
export type Row = Readonly<Record<string, unknown>>;

/** Runs one statement, and gives its rows. */
export type Run = (text: string, values: readonly Value[]) => Promise<readonly Row[]>;

/** How long another connection's lock on the file is waited for, and how long its own transaction. */
const SQLITE_PATIENCE_MS = 5_000;
const SQLITE_PAUSE_MS = 5;
/** https://sqlite.org/rescode.html#busy, in the low byte of what extends it. */
const SQLITE_BUSY = 5;

export function isSqlite(database: SqlClient | SqliteDatabase): database is SqliteDatabase {
  if (typeof (database as Partial<SqliteDatabase> | null)?.prepare === 'function') return true;
  if (typeof (database as Partial<SqlClient> | null)?.query === 'function') return false;
  throw new TypeError(
    'An outbox is in a database: give a client of pg (or anything with its query), or a DatabaseSync of node:sqlite.',
  );
}

/** Whether each `query` may be another connection's: what is written by one is not part of another's transaction. */
export function isPool(client: SqlClient): boolean {
  return typeof (client as { totalCount?: unknown }).totalCount === 'number';
}

/** Statements of the relay, each of them a transaction of its own. */
export function runOn(database: SqlClient | SqliteDatabase): Run {
  return isSqlite(database)
    ? (text, values) => runWhenFree(database, text, values)
    : async (text, values) => (await database.query(text, [...values])).rows as readonly Row[];
}

/**
 * The author's own transaction may be open on the same connection between two of its awaits. What was read then would not be committed yet, and what was
 * written would go with its rollback.
 */
async function runWhenFree(
  database: SqliteDatabase,
  text: string,
  values: readonly Value[],
): Promise<readonly Row[]> {
  const sinceMs = performance.now();
  for (;;) {
    try {
      if (!database.isTransaction) return database.prepare(text).all(...values) as readonly Row[];
    } catch (error) {
      if (!isBusy(error) || performance.now() - sinceMs > SQLITE_PATIENCE_MS) throw error;
    }
    if (performance.now() - sinceMs > SQLITE_PATIENCE_MS)
      throw new Error(
        'The relay has waited 5 s for a transaction on its connection to end. Give it a connection of its own.',
      );
    await new Promise((resolve) => setTimeout(resolve, SQLITE_PAUSE_MS));
  }
}

function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' && (code & 0xff) === SQLITE_BUSY;
}

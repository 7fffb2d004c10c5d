import type { TableName } from './tables.ts';

/**
 * What an operation asks of a database, one after the other. An operation is a generator of steps: it neither knows nor waits for the
 * database. SQLite's thread drives it without a pause, within one blocking transaction; for Postgres it is driven over a
 * connection, and begun anew where the transaction could not be serialized. So there is one text of every operation.
 */
export type Step = Statement | Bulk;

interface Statement {
  /** With `$1`, `$2`, … as Postgres has them, or as Kysely compiled it for the dialect. One of a fixed set of texts: it is kept prepared. */
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** Inserts rows, or replaces those with the same key. Values stand in the order of the table's columns. */
export interface Bulk {
  readonly into: TableName;
  /** One with a key that is there already fails all. */
  readonly anew?: boolean;
  readonly rows: readonly (readonly unknown[])[];
}

export interface Outcome {
  readonly rows: readonly Record<string, unknown>[];
  /** Rows that were inserted, changed or deleted. */
  readonly changes: number;
}

export type Steps<R> = Generator<Step, R, Outcome>;

interface Compilable<T> {
  compile(): { readonly sql: string; readonly parameters: readonly unknown[]; readonly query: unknown };
  executeTakeFirst(): Promise<T | undefined>;
}

/** Rows of a query made with Kysely. */
export function* all<T>(query: Compilable<T>): Steps<T[]> {
  const { sql, parameters } = query.compile();
  const { rows } = yield { sql, parameters };
  return rows as unknown as T[];
}

/** Its first row; null for none. */
export function* first<T>(query: Compilable<T>): Steps<T | null> {
  return (yield* all(query))[0] ?? null;
}

/** @returns how many rows it changed. */
export function* change(query: Compilable<unknown>): Steps<number> {
  const { sql, parameters } = query.compile();
  return (yield { sql, parameters }).changes;
}

/** Rows of a query written by hand. */
export function* rows<T>(sql: string, ...parameters: unknown[]): Steps<T[]> {
  return (yield { sql, parameters }).rows as unknown as T[];
}

/** A change written by hand. @returns how many rows it changed. */
export function* run(sql: string, ...parameters: unknown[]): Steps<number> {
  return (yield { sql, parameters }).changes;
}

import { noting, reading } from '../operation.ts';
import { rows, run, type Bulk } from '../steps.ts';
import type { Table } from '../table.ts';
import { tableNames, tables, type TableName } from '../tables.ts';

/** Which rows of a table to read: those behind a key. */
export interface TableRead {
  readonly table: TableName;
  /** Key of the last row that was read; null: from the first. */
  readonly after: readonly unknown[] | null;
}

/**
 * What copies and backups are made with. A snapshot belongs to a connection: from its beginning to that connection's end, all that is read is of
 * one moment.
 */
export const copyOperations = {
  'copy.begin': reading(function* (dialect, _now: null) {
    yield* run(dialect.name === 'sqlite' ? 'BEGIN' : 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    // The first read is what fixes the moment.
    yield* rows('SELECT count(*) AS n FROM schema_migrations');
  }),

  'copy.version': reading<null, number>(function* () {
    const [found] = yield* rows<{ version: number | null }>(
      'SELECT max(version) AS version FROM schema_migrations',
    );
    return found?.version ?? 0;
  }),

  /** One batch of rows, each as a list of values in the order of the table's columns. */
  'copy.read': reading(function* (_, { table, after }: TableRead) {
    const { columns, key, batchRows }: Table = tables[table];
    const names = Object.keys(columns);
    const places = key.map((_, i) => `$${i + 1}`).join(', ');
    const behind = after === null ? '' : `WHERE (${key.join(', ')}) > (${places})`;
    const found = yield* rows<Record<string, unknown>>(
      `SELECT ${names.join(', ')} FROM ${table} ${behind} ORDER BY ${key.join(', ')} LIMIT ${batchRows}`,
      ...(after ?? []),
    );
    return found.map((row) => names.map((name) => row[name]));
  }),

  'copy.write': noting(function* (_, bulk: Bulk) {
    yield bulk;
  }),

  'copy.count': reading(function* (_, table: TableName) {
    const [found] = yield* rows<{ n: number }>(`SELECT count(*) AS n FROM ${table}`);
    return found!.n;
  }),

  /** The first table that has rows; null where all are empty. */
  'copy.notEmpty': reading<null, TableName | null>(function* () {
    for (const table of tableNames) {
      const [found] = yield* rows(`SELECT 1 AS found FROM ${table} LIMIT 1`);
      if (found !== undefined) return table;
    }
    return null;
  }),

  /** Of SQLite only: the whole store as it is at one moment, into a file that must be empty. Others read and write meanwhile. */
  'copy.into': reading(function* (_, file: string) {
    yield* run('VACUUM INTO $1', file);
  }),

  /** Of SQLite only. @returns what is wrong with the file; empty where nothing is. */
  'copy.check': reading<null, readonly string[]>(function* () {
    const faults = yield* rows<{ integrity_check: string }>('PRAGMA integrity_check(20)');
    const strays = yield* rows<{ table: string }>('PRAGMA foreign_key_check');
    return [
      ...faults.map((fault) => fault.integrity_check).filter((fault) => fault !== 'ok'),
      ...strays.slice(0, 20).map((stray) => `a row of ${stray.table} refers to one that is not there`),
    ];
  }),
};

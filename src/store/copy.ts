import { resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { silentLogger } from '../base/log.ts';
import { Checksum } from './checksum.ts';
import { migrations } from './migrations/index.ts';
import type { Caller } from './operations/index.ts';
import { PostgresSession } from './postgres-session.ts';
import { isPostgresUrl } from './postgres-url.ts';
import { SqliteThread, startSqliteWorker } from './sqlite-thread.ts';
import type { Table } from './table.ts';
import { tableNames, tables, type TableName } from './tables.ts';
import { writeWholeFile } from './whole-file.ts';

/** What was copied. */
export interface CopyReport {
  /** Names of the stores: paths, or URLs without passwords. */
  readonly from: string;
  readonly to: string;
  readonly tables: readonly CopiedTable[];
}

interface CopiedTable {
  readonly table: string;
  readonly rows: number;
  /** SHA-256 over its content, hex, the same in both stores. */
  readonly checksum: string;
}

export interface CopyOptions {
  /** Path of an SQLite file, or URL of a Postgres database. */
  readonly from: string;
  /** Likewise; empty: a file that is not there, or a database without a store or with an empty one. */
  readonly to: string;
  readonly clock: Clock;
}

const BUSY_TIMEOUT_MS = 5_000;

/**
 * Copies a store as it is at one moment, while others read and write it, table by table in batches of some megabytes at most. Then reads the copy
 * and compares. The copy is there whole, or not at all. Rejects with `conflict` where the target is not empty; `store-failed`.
 */
export async function copyStore({ from, to, clock }: CopyOptions): Promise<CopyReport> {
  const source = await openSource(from, clock);
  try {
    if (isPostgresUrl(to)) return await copyToPostgres(source, to, clock);
    const path = resolve(to);
    const copied = await writeWholeFile(path, (partial) => copyToSqlite(source, partial, clock));
    return { from: source.name, to: path, tables: copied };
  } finally {
    await source.close();
  }
}

/** A store opened as it is, neither made nor migrated. */
export function sqliteLook(path: string, clock: Clock): SqliteThread {
  return newThread(path, 'look', clock);
}

interface Source extends Caller {
  readonly name: string;
  close(): Promise<void>;
}

/** Fixed at this moment, and of the schema that this Fulcrum has. */
async function openSource(place: string, clock: Clock): Promise<Source> {
  const source = isPostgresUrl(place)
    ? await PostgresSession.connect(place)
    : sqliteLook(resolve(place), clock);
  try {
    const version =
      source instanceof PostgresSession
        ? await source.schemaVersion()
        : await source.call('copy.version', null);
    refuseOther(source.name, version);
    await source.call('copy.begin', null);
    return source;
  } catch (error) {
    await source.close();
    throw error;
  }
}

function refuseOther(name: string, version: number): void {
  const known = migrations.length;
  if (version === known) return;
  if (version === 0) throw new FulcrumError('store-failed', `There is no store in ${name}.`);
  throw new FulcrumError(
    'store-failed',
    version > known
      ? `The store ${name} has schema version ${version}, and this Fulcrum knows only ${known}: use the newer Fulcrum that wrote it.`
      : `The store ${name} has the older schema version ${version}: start a server of this Fulcrum with it once, which brings it to version ${known}, then copy.`,
  );
}

async function copyToPostgres(source: Source, url: string, clock: Clock): Promise<CopyReport> {
  const target = await PostgresSession.connect(url);
  try {
    await target.beginWriting(clock.nowMs());
    const table = await target.call('copy.notEmpty', null);
    if (table !== null) {
      throw new FulcrumError(
        'conflict',
        `The store ${target.name} is not empty: its table ${table} has rows. Give an empty database.`,
      );
    }
    const copied = await copyTables(source, target);
    await target.keep();
    return { from: source.name, to: target.name, tables: copied };
  } finally {
    await target.close();
  }
}

async function copyToSqlite(source: Source, path: string, clock: Clock): Promise<CopiedTable[]> {
  const target = newThread(path, 'serve', clock);
  try {
    await target.open();
    return await copyTables(source, target);
  } finally {
    // With the last connection SQLite moves everything into the file itself.
    await target.close();
  }
}

async function copyTables(source: Source, target: Source): Promise<CopiedTable[]> {
  const copied: CopiedTable[] = [];
  for (const table of tableNames) {
    const given = new Checksum(table);
    for await (const rows of batches(source, table)) {
      for (const row of rows) given.add(row);
      await target.call('copy.write', { into: table, rows });
    }
    copied.push({ table, rows: given.rows, checksum: given.digest() });
  }
  // Only when all are there, since what is written to one must not change another.
  for (const { table, rows, checksum } of copied) {
    const kept = new Checksum(table as TableName);
    for await (const batch of batches(target, table as TableName)) for (const row of batch) kept.add(row);
    if (kept.rows !== rows || kept.digest() !== checksum) {
      throw new FulcrumError(
        'store-failed',
        `The copy of the table ${table} in ${target.name} is not what was read (${kept.rows} of ${rows} rows); it is not kept.`,
      );
    }
  }
  return copied;
}

async function* batches(store: Caller, table: TableName): AsyncGenerator<unknown[][]> {
  const { columns, key, batchRows }: Table = tables[table];
  const names = Object.keys(columns);
  const places = key.map((name) => names.indexOf(name));
  let after: readonly unknown[] | null = null;
  for (;;) {
    const rows: unknown[][] = await store.call('copy.read', { table, after });
    if (rows.length > 0) yield rows;
    if (rows.length < batchRows) return;
    const last: unknown[] = rows.at(-1)!;
    after = places.map((place) => last[place]);
  }
}

function newThread(path: string, use: 'serve' | 'look', clock: Clock): SqliteThread {
  return new SqliteThread({
    path,
    use,
    busyTimeoutMs: BUSY_TIMEOUT_MS,
    clock,
    logger: silentLogger,
    startWorker: startSqliteWorker,
  });
}

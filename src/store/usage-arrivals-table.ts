import type { ArrivalBlock, UsagePage, UsageQuery } from '../model/usage-store.ts';
import { readPage, type PagedTable } from './paging.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** What a block takes beside its bytes, about: its other columns, twice for the index. */
const OVERHEAD_BYTES = 160;

/** An upsert, since REPLACE would delete and add the row and its index entry every second while the block grows. */
const PUT = `INSERT INTO usage_arrivals (part, component, mode, first_ms, last_ms, count, size_bytes, bytes)
  VALUES ($part, $component, $mode, $firstMs, $lastMs, $count, $sizeBytes, $bytes)
  ON CONFLICT (part) DO UPDATE SET first_ms = excluded.first_ms, last_ms = excluded.last_ms,
    count = excluded.count, size_bytes = excluded.size_bytes, bytes = excluded.bytes`;

const READ = `SELECT part, component, mode, first_ms AS firstMs, last_ms AS lastMs, count, bytes FROM usage_arrivals
  WHERE component = ? AND (last_ms, part) > (?, ?) AND last_ms >= ? AND first_ms < ?
  ORDER BY last_ms, part LIMIT ?`;

const COMPONENTS = `WITH RECURSIVE known(component) AS (
    SELECT min(component) FROM usage_arrivals
    UNION ALL
    SELECT (SELECT min(component) FROM usage_arrivals WHERE component > known.component) FROM known WHERE known.component IS NOT NULL
  ) SELECT component FROM known WHERE component IS NOT NULL`;

const DELETE_OLD = `DELETE FROM usage_arrivals WHERE part IN
  (SELECT part FROM usage_arrivals WHERE component = ? AND last_ms < ? ORDER BY last_ms LIMIT ?)`;

/** The newest block with which the component's log is larger than it may be. */
const FIRST_TOO_MANY = `SELECT last_ms, part FROM (
    SELECT last_ms, part, sum(size_bytes) OVER (ORDER BY last_ms DESC, part DESC) AS total
    FROM usage_arrivals WHERE component = ?
  ) WHERE total > ? ORDER BY last_ms DESC, part DESC LIMIT 1`;

const DELETE_UP_TO = `DELETE FROM usage_arrivals WHERE part IN
  (SELECT part FROM usage_arrivals WHERE component = ? AND (last_ms, part) <= (?, ?) ORDER BY last_ms LIMIT ?)`;

/** Must run within a transaction. */
export function putArrivals(database: SqliteDatabase, blocks: readonly ArrivalBlock[]): void {
  const put = database.statement(PUT);
  for (const block of blocks) put.run({ ...block, sizeBytes: block.bytes.length + OVERHEAD_BYTES });
}

export function readArrivalBlocks(database: SqliteDatabase, query: UsageQuery): UsagePage<ArrivalBlock> {
  const table: PagedTable<ArrivalBlock> = {
    components: () => arrivalComponents(database),
    read: (component, { fromMs, toMs }, after, limit) =>
      database
        .statement(READ)
        .all(
          component,
          after?.atMs ?? -1,
          after?.part ?? '',
          fromMs,
          toMs,
          limit,
        ) as unknown as ArrivalBlock[],
    position: ({ lastMs, part }) => ({ atMs: lastMs, part }),
  };
  return readPage(table, query);
}

export function arrivalComponents(database: SqliteDatabase): readonly string[] {
  return database
    .statement(COMPONENTS)
    .all()
    .map((row) => String(row['component']));
}

/** @returns how many it deleted, `limit` at most. */
export function deleteOldArrivals(
  database: SqliteDatabase,
  component: string,
  beforeMs: number,
  limit: number,
): number {
  return Number(database.statement(DELETE_OLD).run(component, beforeMs, limit).changes);
}

/** Deletes the oldest blocks until the rest is no larger than `maxBytes`. @returns how many, `limit` at most. */
export function deleteExcessArrivals(
  database: SqliteDatabase,
  component: string,
  maxBytes: number,
  limit: number,
): number {
  const first = database.statement(FIRST_TOO_MANY).get(component, maxBytes);
  if (first === undefined) return 0;
  return Number(
    database.statement(DELETE_UP_TO).run(component, first['last_ms']!, first['part']!, limit).changes,
  );
}

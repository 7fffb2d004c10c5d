import type { UsagePage, UsageQuery, UsageRow } from '../model/usage-store.ts';
import { readPage, type PagedTable } from './paging.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** Parameters and results carry the names of {@link UsageRow}; SQLite has no booleans, so `cold` is 0 or 1. */
const PUT = `INSERT OR REPLACE INTO usage_rows (component, arrived_at_ms, part, revision, mode, trigger_kind, outcome, request_id,
    status, waited_ms, start_ms, duration_ms, billed_ms, cpu_ms, cold, memory_bytes)
  VALUES ($component, $arrivedAtMs, $part, $revision, $mode, $trigger, $outcome, $requestId,
    $status, $waitedMs, $startMs, $durationMs, $billedMs, $cpuMs, $cold, $memoryBytes)`;

const READ = `SELECT component, arrived_at_ms AS arrivedAtMs, part, revision, mode, trigger_kind AS trigger, outcome,
    request_id AS requestId, status, waited_ms AS waitedMs, start_ms AS startMs, duration_ms AS durationMs,
    billed_ms AS billedMs, cpu_ms AS cpuMs, cold, memory_bytes AS memoryBytes
  FROM usage_rows
  WHERE component = ? AND (arrived_at_ms, part) > (?, ?) AND arrived_at_ms >= ? AND arrived_at_ms < ?
  ORDER BY arrived_at_ms, part LIMIT ?`;

const COMPONENTS = `WITH RECURSIVE known(component) AS (
    SELECT min(component) FROM usage_rows
    UNION ALL
    SELECT (SELECT min(component) FROM usage_rows WHERE component > known.component) FROM known WHERE known.component IS NOT NULL
  ) SELECT component FROM known WHERE component IS NOT NULL`;

const DELETE_OLD = `DELETE FROM usage_rows WHERE component = ?1 AND (arrived_at_ms, part) IN
  (SELECT arrived_at_ms, part FROM usage_rows WHERE component = ?1 AND arrived_at_ms < ?2 ORDER BY arrived_at_ms LIMIT ?3)`;

const FIRST_TOO_MANY = `SELECT arrived_at_ms, part FROM usage_rows WHERE component = ?
  ORDER BY arrived_at_ms DESC, part DESC LIMIT 1 OFFSET ?`;

const DELETE_UP_TO = `DELETE FROM usage_rows WHERE component = ?1 AND (arrived_at_ms, part) IN
  (SELECT arrived_at_ms, part FROM usage_rows
   WHERE component = ?1 AND (arrived_at_ms, part) <= (?2, ?3) ORDER BY arrived_at_ms LIMIT ?4)`;

/** Must run within a transaction. */
export function putRows(database: SqliteDatabase, rows: readonly UsageRow[]): void {
  const put = database.statement(PUT);
  for (const row of rows) put.run({ ...row, cold: row.cold ? 1 : 0 });
}

export function readRows(database: SqliteDatabase, query: UsageQuery): UsagePage<UsageRow> {
  const table: PagedTable<UsageRow> = {
    components: () => rowComponents(database),
    read: (component, { fromMs, toMs }, after, limit) =>
      database
        .statement(READ)
        .all(component, after?.atMs ?? -1, after?.part ?? '', fromMs, toMs, limit)
        .map((row) => Object.assign(row, { cold: row['cold'] === 1 }) as unknown as UsageRow),
    position: ({ arrivedAtMs, part }) => ({ atMs: arrivedAtMs, part }),
  };
  return readPage(table, query);
}

export function rowComponents(database: SqliteDatabase): readonly string[] {
  return database
    .statement(COMPONENTS)
    .all()
    .map((row) => String(row['component']));
}

/** @returns how many it deleted, `limit` at most. */
export function deleteOldRows(
  database: SqliteDatabase,
  component: string,
  beforeMs: number,
  limit: number,
): number {
  return Number(database.statement(DELETE_OLD).run(component, beforeMs, limit).changes);
}

/** Deletes the oldest rows until `keep` are left. @returns how many, `limit` at most. */
export function deleteExcessRows(
  database: SqliteDatabase,
  component: string,
  keep: number,
  limit: number,
): number {
  const first = database.statement(FIRST_TOO_MANY).get(component, keep);
  if (first === undefined) return 0;
  return Number(
    database.statement(DELETE_UP_TO).run(component, first['arrived_at_ms']!, first['part']!, limit).changes,
  );
}

import type { UsageMinute, UsagePage, UsageQuery } from '../model/usage-store.ts';
import { readPage, type PagedTable } from './paging.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** Parameters and results carry the names of {@link UsageMinute}. */
const PUT = `INSERT OR REPLACE INTO usage_minutes (component, minute_ms, part, span_ms, revision, mode, outcome, count, cold,
    waited_ms, start_ms, duration_ms, billed_ms, billed_byte_ms, cpu_ms, latency, duration)
  VALUES ($component, $minuteMs, $part, $spanMs, $revision, $mode, $outcome, $count, $cold,
    $waitedMs, $startMs, $durationMs, $billedMs, $billedByteMs, $cpuMs, $latency, $duration)`;

const READ = `SELECT component, minute_ms AS minuteMs, part, span_ms AS spanMs, revision, mode, outcome, count, cold,
    waited_ms AS waitedMs, start_ms AS startMs, duration_ms AS durationMs, billed_ms AS billedMs,
    billed_byte_ms AS billedByteMs, cpu_ms AS cpuMs, latency, duration
  FROM usage_minutes
  WHERE component = ? AND (minute_ms, part) > (?, ?) AND minute_ms >= ? AND minute_ms < ?
  ORDER BY minute_ms, part LIMIT ?`;

/** Jumps from one component to the next along the key. */
const COMPONENTS = `WITH RECURSIVE known(component) AS (
    SELECT min(component) FROM usage_minutes
    UNION ALL
    SELECT (SELECT min(component) FROM usage_minutes WHERE component > known.component) FROM known WHERE known.component IS NOT NULL
  ) SELECT component FROM known WHERE component IS NOT NULL`;

const DELETE_OLD = `DELETE FROM usage_minutes WHERE component = ?1 AND (minute_ms, part) IN
  (SELECT minute_ms, part FROM usage_minutes WHERE component = ?1 AND minute_ms < ?2 ORDER BY minute_ms LIMIT ?3)`;

/** Must run within a transaction. */
export function putMinutes(database: SqliteDatabase, minutes: readonly UsageMinute[]): void {
  const put = database.statement(PUT);
  for (const minute of minutes) put.run({ ...minute });
}

export function readMinutes(database: SqliteDatabase, query: UsageQuery): UsagePage<UsageMinute> {
  const table: PagedTable<UsageMinute> = {
    components: () => minuteComponents(database),
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
        ) as unknown as UsageMinute[],
    position: ({ minuteMs, part }) => ({ atMs: minuteMs, part }),
  };
  return readPage(table, query);
}

export function minuteComponents(database: SqliteDatabase): readonly string[] {
  return database
    .statement(COMPONENTS)
    .all()
    .map((row) => String(row['component']));
}

/** @returns how many it deleted, `limit` at most. */
export function deleteOldMinutes(
  database: SqliteDatabase,
  component: string,
  beforeMs: number,
  limit: number,
): number {
  return Number(database.statement(DELETE_OLD).run(component, beforeMs, limit).changes);
}

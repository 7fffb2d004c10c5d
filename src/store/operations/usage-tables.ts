import type {
  ArrivalBlock,
  InstanceMinute,
  JoinedCalls,
  UsageHour,
  UsageHoursQuery,
  UsageMinute,
  UsageQuery,
  UsageRow,
} from '../../model/usage-store.ts';
import { rows, run, type Steps } from '../steps.ts';

/**
 * The tables of usage that grow with traffic: raw SQL, since they are written every second and read by the ten thousand. Each is read one component at a
 * time along an index; a single scan over all would read everything that was ever stored.
 */
export interface UsageTable<T> {
  readonly name: 'usage_minutes' | 'usage_arrivals' | 'usage_rows' | 'usage_instances' | 'usage_calls';
  /** The column that orders the items of a component, before `part`. */
  readonly at: string;
  /** Of app, component, position (moment and part), from, to, limit; columns are named as in `T`. */
  readonly read: string;
  /** Of the item, as a page's end. */
  atOf(item: T): number;
  componentOf(item: T): string;
  itemOf(row: Record<string, unknown>): T;
  /** Whether moments are whole numbers: Postgres takes no others then. */
  readonly whole: boolean;
}

/**
 * Of what was written before that was counted it is what a function was billed, or half a millisecond more each than a service took: what
 * rounding up adds on average.
 */
const WHOLE_MS = `coalesce(whole_ms, CASE WHEN mode = 'function' THEN billed_ms WHEN outcome = 'refused' THEN 0
      ELSE start_ms + duration_ms + 0.5 * count END)`;

export const usageMinutes: UsageTable<UsageMinute> = {
  name: 'usage_minutes',
  at: 'minute_ms',
  whole: true,
  read: `SELECT component, minute_ms AS "minuteMs", part, span_ms AS "spanMs", revision, mode, outcome, count, cold,
      waited_ms AS "waitedMs", start_ms AS "startMs", duration_ms AS "durationMs", billed_ms AS "billedMs",
      billed_byte_ms AS "billedByteMs", ${WHOLE_MS} AS "wholeMs", coalesce(whole_byte_ms, billed_byte_ms) AS "wholeByteMs",
      hundreds_ms AS "hundredsMs", internal, bytes_in AS "bytesIn", bytes_out AS "bytesOut", cpu_ms AS "cpuMs", latency, duration
    FROM usage_minutes
    WHERE app = $1 AND component = $2 AND (minute_ms, part) > ($3, $4) AND minute_ms >= $5 AND minute_ms < $6
    ORDER BY minute_ms, part LIMIT $7`,
  atOf: (item) => item.minuteMs,
  componentOf: (item) => item.component,
  itemOf: (row) => row as unknown as UsageMinute,
};

export const usageArrivals: UsageTable<ArrivalBlock> = {
  name: 'usage_arrivals',
  at: 'last_ms',
  whole: true,
  read: `SELECT part, component, mode, first_ms AS "firstMs", last_ms AS "lastMs", count, bytes FROM usage_arrivals
    WHERE app = $1 AND component = $2 AND (last_ms, part) > ($3, $4) AND last_ms >= $5 AND first_ms < $6
    ORDER BY last_ms, part LIMIT $7`,
  atOf: (item) => item.lastMs,
  componentOf: (item) => item.component,
  itemOf: (row) => row as unknown as ArrivalBlock,
};

export const usageRows: UsageTable<UsageRow> = {
  name: 'usage_rows',
  at: 'arrived_at_ms',
  whole: false,
  read: `SELECT component, arrived_at_ms AS "arrivedAtMs", part, revision, mode, trigger_kind AS trigger, outcome,
      request_id AS "requestId", status, waited_ms AS "waitedMs", start_ms AS "startMs", duration_ms AS "durationMs",
      billed_ms AS "billedMs", cpu_ms AS "cpuMs", cold, memory_bytes AS "memoryBytes",
      bytes_in AS "bytesIn", bytes_out AS "bytesOut"
    FROM usage_rows
    WHERE app = $1 AND component = $2 AND (arrived_at_ms, part) > ($3, $4) AND arrived_at_ms >= $5 AND arrived_at_ms < $6
    ORDER BY arrived_at_ms, part LIMIT $7`,
  atOf: (item) => item.arrivedAtMs,
  componentOf: (item) => item.component,
  itemOf: (row) => Object.assign(row, { cold: row['cold'] === 1 }) as unknown as UsageRow,
};

export const usageInstances: UsageTable<InstanceMinute> = {
  name: 'usage_instances',
  at: 'minute_ms',
  whole: true,
  read: `SELECT component AS unit, minute_ms AS "minuteMs", part, span_ms AS "spanMs", revision, mode, started, lived_ms AS "livedMs",
      held_byte_ms AS "heldByteMs", watched_ms AS "watchedMs", used_byte_ms AS "usedByteMs", cpu_ms AS "cpuMs"
    FROM usage_instances
    WHERE app = $1 AND component = $2 AND (minute_ms, part) > ($3, $4) AND minute_ms >= $5 AND minute_ms < $6
    ORDER BY minute_ms, part LIMIT $7`,
  atOf: (item) => item.minuteMs,
  componentOf: (item) => item.unit,
  itemOf: (row) => row as unknown as InstanceMinute,
};

export const usageCalls: UsageTable<JoinedCalls> = {
  name: 'usage_calls',
  at: 'hour_ms',
  whole: true,
  read: `SELECT component AS callee, hour_ms AS "hourMs", part, caller, count, failed, duration_ms AS "durationMs" FROM usage_calls
    WHERE app = $1 AND component = $2 AND (hour_ms, part) > ($3, $4) AND hour_ms >= $5 AND hour_ms < $6
    ORDER BY hour_ms, part LIMIT $7`,
  atOf: (item) => item.hourMs,
  componentOf: (item) => item.callee,
  itemOf: (row) => row as unknown as JoinedCalls,
};

/** An app's components that have items, from the one named `from` on, in order. Jumps from one to the next along the index. */
export function* componentsOf<T>({ name }: UsageTable<T>, app: string, from = ''): Steps<string[]> {
  const found = yield* rows<{ component: string }>(
    `WITH RECURSIVE known(component) AS (
      SELECT min(component) FROM ${name} WHERE app = $1 AND component >= $2
      UNION ALL
      SELECT (SELECT min(component) FROM ${name} WHERE app = $1 AND component > known.component)
      FROM known WHERE known.component IS NOT NULL
    ) SELECT component FROM known WHERE component IS NOT NULL`,
    app,
    from,
  );
  return found.map((row) => row.component);
}

export function* readUsage<T>(
  table: UsageTable<T>,
  { app, fromMs, toMs }: UsageQuery,
  component: string,
  after: { readonly atMs: number; readonly part: string } | null,
  limit: number,
): Steps<T[]> {
  const moment = table.whole ? wholeMs : (ms: number): number => ms;
  const found = yield* rows<Record<string, unknown>>(
    table.read,
    app,
    component,
    after?.atMs ?? -1,
    after?.part ?? '',
    moment(fromMs),
    moment(toMs),
    limit,
  );
  return found.map((row) => table.itemOf(row));
}

/** Along the index, minute by minute; a folded stretch is as many like minutes as it has, and only one of them is looked at. */
export function readHours({ app, component, fromMs, toMs }: UsageHoursQuery): Steps<UsageHour[]> {
  return rows<UsageHour>(
    `SELECT minute_ms - minute_ms % 3600000 AS "hourMs", sum(count) AS count, sum(refused) AS refused,
        sum(start_ms) AS "startMs", sum(duration_ms) AS "durationMs", sum(cpu_ms) AS "cpuMs",
        max(minute_count) AS "minuteCount", max(minute_work_ms) AS "minuteWorkMs", max(minute_cpu_ms) AS "minuteCpuMs"
      FROM (
        SELECT minute_ms, CAST(sum(count) AS DOUBLE PRECISION) AS count,
            CAST(sum(CASE WHEN outcome = 'refused' THEN count ELSE 0 END) AS DOUBLE PRECISION) AS refused,
            sum(start_ms) AS start_ms, sum(duration_ms) AS duration_ms, sum(cpu_ms) AS cpu_ms,
            CAST(sum(count * 60000.0 / span_ms) AS DOUBLE PRECISION) AS minute_count,
            sum((start_ms + duration_ms) * 60000.0 / span_ms) AS minute_work_ms,
            sum(cpu_ms * 60000.0 / span_ms) AS minute_cpu_ms
        FROM usage_minutes WHERE app = $1 AND component = $2 AND minute_ms >= $3 AND minute_ms < $4
        GROUP BY minute_ms
      ) AS minutes
      GROUP BY minute_ms - minute_ms % 3600000 ORDER BY 1`,
    app,
    component,
    wholeMs(fromMs),
    wholeMs(toMs),
  );
}

/** Deletes what stands before `beforeMs`. @returns how many, `limit` at most. */
export function deleteOld<T>(
  { name, at, whole }: UsageTable<T>,
  app: string,
  component: string,
  beforeMs: number,
  limit: number,
): Steps<number> {
  return run(
    `DELETE FROM ${name} WHERE app = $1 AND component = $2 AND (${at}, part) IN
      (SELECT ${at}, part FROM ${name} WHERE app = $1 AND component = $2 AND ${at} < $3 ORDER BY ${at} LIMIT $4)`,
    app,
    component,
    whole ? wholeMs(beforeMs) : beforeMs,
    limit,
  );
}

/** Deletes the oldest rows until `keep` are left. @returns how many, `limit` at most. */
export function* deleteExcessRows(
  app: string,
  component: string,
  keep: number,
  limit: number,
): Steps<number> {
  const [found] = yield* rows<{ arrived_at_ms: number; part: string }>(
    `SELECT arrived_at_ms, part FROM usage_rows WHERE app = $1 AND component = $2
      ORDER BY arrived_at_ms DESC, part DESC LIMIT 1 OFFSET $3`,
    app,
    component,
    keep,
  );
  if (found === undefined) return 0;
  return yield* deleteUpTo(usageRows, app, component, found.arrived_at_ms, found.part, limit);
}

/** Deletes the oldest blocks until the rest is no larger than `maxBytes`. @returns how many, `limit` at most. */
export function* deleteExcessArrivals(
  app: string,
  component: string,
  maxBytes: number,
  limit: number,
): Steps<number> {
  // The newest block with which the component's log is larger than it may be.
  const [found] = yield* rows<{ last_ms: number; part: string }>(
    `SELECT last_ms, part FROM (
      SELECT last_ms, part, sum(size_bytes) OVER (ORDER BY last_ms DESC, part DESC) AS total
      FROM usage_arrivals WHERE app = $1 AND component = $2
    ) AS newest WHERE total > $3 ORDER BY last_ms DESC, part DESC LIMIT 1`,
    app,
    component,
    maxBytes,
  );
  if (found === undefined) return 0;
  return yield* deleteUpTo(usageArrivals, app, component, found.last_ms, found.part, limit);
}

function deleteUpTo<T>(
  { name, at }: UsageTable<T>,
  app: string,
  component: string,
  atMs: number,
  part: string,
  limit: number,
): Steps<number> {
  return run(
    `DELETE FROM ${name} WHERE app = $1 AND component = $2 AND (${at}, part) IN
      (SELECT ${at}, part FROM ${name}
       WHERE app = $1 AND component = $2 AND (${at}, part) <= ($3, $4) ORDER BY ${at} LIMIT $5)`,
    app,
    component,
    atMs,
    part,
    limit,
  );
}

/** For whole numbers, at least 0.5 is at least 1, and less than 0.5 is less than 1. */
export function wholeMs(ms: number): number {
  return Math.max(Math.min(Math.ceil(ms), Number.MAX_SAFE_INTEGER), -Number.MAX_SAFE_INTEGER);
}

import { FulcrumError } from '../../base/errors.ts';
import type {
  UsageBatch,
  UsageGap,
  UsageHoursQuery,
  UsageLimits,
  UsagePage,
  UsageQuery,
} from '../../model/usage-store.ts';
import { noting, reading } from '../operation.ts';
import { rows, run, type Steps } from '../steps.ts';
import {
  componentsOf,
  deleteExcessArrivals,
  deleteExcessRows,
  deleteOld,
  readHours,
  readUsage,
  usageArrivals,
  usageCalls,
  usageInstances,
  usageMinutes,
  usageRows,
  type UsageTable,
} from './usage-tables.ts';
import { arrivalValues, callValues, instanceValues, minuteValues, rowValues } from './usage-values.ts';
import { bury, deleteOldGaps, gapsOf, noteWriter, writersOf } from './usage-writers.ts';

const MAX_LIMIT = 10_000;
/** So many rows are deleted in one step: some milliseconds, between which other work gets its turn. */
const PRUNE_STEP = 500;

export const usageOperations = {
  'usage.append': noting(function* (_, batch: UsageBatch) {
    const { app, minutes, arrivals, rows, instances, joinedCalls, writer } = batch;
    yield { into: 'usage_minutes', rows: minutes.map((minute) => minuteValues(app, minute)) };
    yield { into: 'usage_arrivals', rows: arrivals.map((block) => arrivalValues(app, block)) };
    yield { into: 'usage_rows', rows: rows.map((row) => rowValues(app, row)) };
    yield { into: 'usage_instances', rows: instances.map((minute) => instanceValues(app, minute)) };
    yield { into: 'usage_calls', rows: joinedCalls.map((calls) => callValues(app, calls)) };
    if (writer !== null) yield* noteWriter(app, writer);
  }),

  'usage.minutes': reading((_, query: UsageQuery) => page(usageMinutes, query)),
  'usage.arrivals': reading((_, query: UsageQuery) => page(usageArrivals, query)),
  'usage.rows': reading((_, query: UsageQuery) => page(usageRows, query)),

  'usage.instances': reading((_, query: UsageQuery) => page(usageInstances, query)),
  'usage.joinedCalls': reading((_, query: UsageQuery) => page(usageCalls, query)),

  'usage.writers': reading((_, app: string) => writersOf(app)),
  'usage.gaps': reading((_, of: { app: string; fromMs: number; toMs: number }) =>
    gapsOf(of.app, of.fromMs, of.toMs),
  ),
  'usage.bury': noting((_, of: { app: string; writer: string; gap: UsageGap }) =>
    bury(of.app, of.writer, of.gap),
  ),

  'usage.hours': reading((_, query: UsageHoursQuery) => readHours(query)),

  /** One step. @returns whether there may be more to delete. */
  'usage.prune': {
    ...noting(function* (_, limits: UsageLimits) {
      return (yield* pruneStep(limits)) >= PRUNE_STEP;
    }),
    frees: true,
  },

  /** Everything of an app. One step. @returns whether there may be more. */
  'usage.remove': {
    ...noting(function* (_, app: string) {
      for (const table of [usageMinutes, usageArrivals, usageRows, usageInstances, usageCalls]) {
        for (const component of yield* componentsOf<unknown>(table, app)) {
          const removed = yield* deleteOld<unknown>(
            table,
            app,
            component,
            Number.MAX_SAFE_INTEGER,
            PRUNE_STEP,
          );
          if (removed > 0) return true;
        }
      }
      return false;
    }),
    frees: true,
  },

  /** Gives `app` what was recorded before usage had an app. */
  'usage.adopt': noting(function* (_, app: string) {
    for (const table of ['usage_minutes', 'usage_arrivals', 'usage_rows']) {
      // Mostly there is nothing, and a look by the index costs less than taking the file for writing does.
      const [old] = yield* rows(`SELECT 1 AS found FROM ${table} WHERE app = '' LIMIT 1`);
      if (old !== undefined) yield* run(`UPDATE ${table} SET app = $1 WHERE app = ''`, app);
    }
  }),
};

const TABLES = [
  ...['usage_minutes', 'usage_arrivals', 'usage_rows'],
  ...['usage_instances', 'usage_calls', 'usage_writers', 'usage_gaps'],
];

/** Within a change of its own. */
export function* deleteUsage(app: string): Steps<void> {
  for (const table of TABLES) {
    yield* run(`DELETE FROM ${table} WHERE app = $1`, app);
  }
}

/** One page over one component or all, one after the other. */
function* page<T extends { readonly part: string }>(
  table: UsageTable<T>,
  query: UsageQuery,
): Steps<UsagePage<T>> {
  const limit = Math.min(Math.max(Math.floor(query.limit) || 1, 1), MAX_LIMIT);
  const cursor = query.after === null ? null : readCursor(query.after);
  const components =
    query.component === null ? yield* componentsOf(table, query.app, cursor?.component) : [query.component];
  const items: T[] = [];
  for (const component of components) {
    const after = cursor !== null && cursor.component === component ? cursor : null;
    items.push(...(yield* readUsage(table, query, component, after, limit + 1 - items.length)));
    if (items.length > limit) break;
  }
  if (items.length <= limit) return { items, next: null };
  items.length = limit;
  const last = items[limit - 1]!;
  return { items, next: JSON.stringify([table.componentOf(last), table.atOf(last), last.part]) };
}

function readCursor(text: string): { component: string; atMs: number; part: string } {
  try {
    const [component, atMs, part] = JSON.parse(text) as unknown[];
    if (typeof component === 'string' && typeof atMs === 'number' && typeof part === 'string') {
      return { component, atMs, part };
    }
  } catch {
    // Said below.
  }
  throw new FulcrumError('bad-request', 'The place to go on from is not one that a page of usage gave.');
}

function* pruneStep(limits: UsageLimits): Steps<number> {
  const { app } = limits;
  let left = PRUNE_STEP;
  for (const component of yield* componentsOf(usageMinutes, app)) {
    left -= yield* deleteOld(usageMinutes, app, component, limits.minutesBeforeMs, left);
    if (left <= 0) return PRUNE_STEP;
  }
  for (const component of yield* componentsOf(usageArrivals, app)) {
    left -= yield* deleteOld(usageArrivals, app, component, limits.arrivalsBeforeMs, left);
    if (left > 0) left -= yield* deleteExcessArrivals(app, component, limits.arrivalBytes, left);
    if (left <= 0) return PRUNE_STEP;
  }
  for (const component of yield* componentsOf(usageRows, app)) {
    left -= yield* deleteOld(usageRows, app, component, limits.rowsBeforeMs, left);
    if (left > 0) left -= yield* deleteExcessRows(app, component, limits.rows, left);
    if (left <= 0) return PRUNE_STEP;
  }
  for (const unit of yield* componentsOf(usageInstances, app)) {
    left -= yield* deleteOld(usageInstances, app, unit, limits.minutesBeforeMs, left);
    if (left <= 0) return PRUNE_STEP;
  }
  for (const callee of yield* componentsOf(usageCalls, app)) {
    left -= yield* deleteOld(usageCalls, app, callee, limits.minutesBeforeMs, left);
    if (left <= 0) return PRUNE_STEP;
  }
  left -= yield* deleteOldGaps(app, limits.minutesBeforeMs, left);
  return PRUNE_STEP - left;
}

import type {
  ArrivalBlock,
  UsageBatch,
  UsageLimits,
  UsageMinute,
  UsagePage,
  UsageQuery,
  UsageRow,
} from '../model/usage-store.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import {
  arrivalComponents,
  deleteExcessArrivals,
  deleteOldArrivals,
  putArrivals,
  readArrivalBlocks,
} from './usage-arrivals-table.ts';
import { deleteOldMinutes, minuteComponents, putMinutes, readMinutes } from './usage-minutes-table.ts';
import { deleteExcessRows, deleteOldRows, putRows, readRows, rowComponents } from './usage-rows-table.ts';

/** So many rows are deleted in one step: some milliseconds, between which other work gets its turn. */
const PRUNE_STEP = 500;
const SHRINK_PAGES = 256;

/**
 * All that the store's thread can be asked for: one blocking function each, of the database and one argument. The server's side knows
 * them by type only. Each transaction says what it must outlive.
 */
export const operations = {
  'usage.append': (database: SqliteDatabase, batch: UsageBatch): void =>
    database.transaction('process', () => {
      putMinutes(database, batch.minutes);
      putArrivals(database, batch.arrivals);
      putRows(database, batch.rows);
    }),

  'usage.minutes': (database: SqliteDatabase, query: UsageQuery): UsagePage<UsageMinute> =>
    readMinutes(database, query),

  'usage.arrivals': (database: SqliteDatabase, query: UsageQuery): UsagePage<ArrivalBlock> =>
    readArrivalBlocks(database, query),

  'usage.rows': (database: SqliteDatabase, query: UsageQuery): UsagePage<UsageRow> =>
    readRows(database, query),

  /** One step. @returns whether there may be more to delete. */
  'usage.prune': (database: SqliteDatabase, limits: UsageLimits): boolean => {
    const deleted = database.transaction('process', () => pruneStep(database, limits));
    database.shrink(SHRINK_PAGES);
    return deleted >= PRUNE_STEP;
  },
} as const;

export type Operations = typeof operations;

function pruneStep(database: SqliteDatabase, limits: UsageLimits): number {
  let left = PRUNE_STEP;
  for (const component of minuteComponents(database)) {
    left -= deleteOldMinutes(database, component, limits.minutesBeforeMs, left);
    if (left <= 0) return PRUNE_STEP;
  }
  for (const component of arrivalComponents(database)) {
    left -= deleteOldArrivals(database, component, limits.arrivalsBeforeMs, left);
    if (left > 0) left -= deleteExcessArrivals(database, component, limits.arrivalBytes, left);
    if (left <= 0) return PRUNE_STEP;
  }
  for (const component of rowComponents(database)) {
    left -= deleteOldRows(database, component, limits.rowsBeforeMs, left);
    if (left > 0) left -= deleteExcessRows(database, component, limits.rows, left);
    if (left <= 0) return PRUNE_STEP;
  }
  return PRUNE_STEP - left;
}

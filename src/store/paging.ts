import { FulcrumError } from '../base/errors.ts';
import type { UsagePage, UsageQuery } from '../model/usage-store.ts';

const MAX_LIMIT = 10_000;

/** Where an item stands within its component: moment and part. */
interface Position {
  readonly atMs: number;
  readonly part: string;
}

export interface PagedTable<T> {
  /** All components that have items, in order. */
  components(): readonly string[];
  /** Items of one component within the query's range that stand behind `after` (null: from the first), in order. */
  read(component: string, query: UsageQuery, after: Position | null, limit: number): readonly T[];
  position(item: T): Position;
}

/**
 * One page over one component or all. Components are read one after the other, each by its index; a single scan over all would
 * read everything that was ever stored.
 */
export function readPage<T extends { readonly component: string }>(
  table: PagedTable<T>,
  query: UsageQuery,
): UsagePage<T> {
  const limit = Math.min(Math.max(Math.floor(query.limit) || 1, 1), MAX_LIMIT);
  const cursor = query.after === null ? null : readCursor(query.after);
  const components = query.component === null ? table.components() : [query.component];
  const items: T[] = [];
  for (const component of components) {
    if (cursor !== null && component < cursor.component) continue;
    const after = cursor !== null && cursor.component === component ? cursor : null;
    items.push(...table.read(component, query, after, limit + 1 - items.length));
    if (items.length > limit) break;
  }
  if (items.length <= limit) return { items, next: null };
  items.length = limit;
  const last = items[limit - 1]!;
  const { atMs, part } = table.position(last);
  return { items, next: JSON.stringify([last.component, atMs, part]) };
}

function readCursor(text: string): Position & { component: string } {
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

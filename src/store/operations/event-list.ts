import { COUNTED, type WorkFilter, type WorkPlace, type WorkState } from '../../model/event-store.ts';
import type { Dialect } from '../dialect.ts';
import { rows, type Steps } from '../steps.ts';
import type { Pick } from './event-change.ts';

/** Rows that are looked at in one step: some milliseconds, between which other work gets its turn. */
const SCAN_ROWS = 2_000;

/** Work of one component in one state, in the order of its publication. */
export interface Scan {
  readonly filter: WorkFilter;
  readonly component: string;
  readonly state: WorkState;
  readonly newestFirst: boolean;
  /** Behind this one; null: from the first. */
  readonly after: WorkPlace | null;
  /** Picks, at most. */
  readonly limit: number;
  /** Of `ready` ones only those that are due later; null: all. */
  readonly dueAfterMs: number | null;
}

/** What a step of a scan has found. */
export interface Scanned {
  readonly picks: readonly (Pick & { readonly publishedAtMs: number })[];
  /** Where to go on; null: that was all. */
  readonly next: WorkPlace | null;
}

interface ScannedRow {
  readonly id: string;
  readonly component: string;
  readonly published_at_ms: number;
  readonly type: string;
  readonly order_key: string | null;
  readonly due_at_ms: number;
}

/** One step: a bounded number of rows, of which those that fit are picked. */
export function* scanWork(dialect: Dialect, scan: Scan): Steps<Scanned> {
  const { filter, component, state, after, newestFirst, limit, dueAfterMs } = scan;
  const fits = (row: ScannedRow): boolean =>
    (filter.type === undefined || row.type === filter.type) &&
    (filter.key === undefined || row.order_key === filter.key) &&
    (dueAfterMs === null || state !== 'ready' || row.due_at_ms > dueAfterMs);
  const isSifted = filter.type !== undefined || filter.key !== undefined || dueAfterMs !== null;
  const most = isSifted ? SCAN_ROWS : Math.min(limit, SCAN_ROWS);
  const [order, behind, beyond] = newestFirst ? ['DESC', '<', '<='] : ['ASC', '>', '>='];
  // The same event for another component may be on the other side of the place.
  const isBeyond =
    after !== null && (newestFirst ? component < after.component : component > after.component);
  // The state as a subquery: an index of that state alone has another order, and must not be taken for this.
  const found = yield* rows<ScannedRow>(
    `SELECT id, component, published_at_ms, type, order_key, due_at_ms FROM work
     WHERE app = $1 AND component = $2 AND state = (SELECT CAST($3 AS TEXT)) ${
       after === null
         ? ''
         : // The first condition is the index's; the second is exact.
           `AND published_at_ms ${beyond} $5 AND (published_at_ms ${behind} $5 OR id ${isBeyond ? beyond : behind} $6)`
     }
     ORDER BY published_at_ms ${order}, id ${order} LIMIT $4`,
    ...[filter.app, component, state, most],
    ...(after === null ? [] : [after.publishedAtMs, after.id]),
  );
  const picks: (Pick & { readonly publishedAtMs: number })[] = [];
  for (const row of found) {
    if (!fits(row)) continue;
    const place = { publishedAtMs: row.published_at_ms, id: row.id, component };
    picks.push(place);
    if (picks.length >= limit) return { picks, next: place };
  }
  const last = found.at(-1);
  const isAll = last === undefined || found.length < most;
  return {
    picks,
    next: isAll ? null : { publishedAtMs: last.published_at_ms, id: last.id, component },
  };
}

/** Of given ids: those that fit. */
export function* pickWork(dialect: Dialect, filter: WorkFilter): Steps<readonly (Pick & ScannedPick)[]> {
  const given = dialect.given(
    { id: 'text' },
    (filter.ids ?? []).map((id) => [id]),
  );
  const found = yield* rows<ScannedRow & { state: string }>(
    `SELECT w.id, w.component, w.published_at_ms, w.type, w.order_key, w.due_at_ms, w.state FROM ${given.as('g')}
     JOIN work w ON w.app = $${given.next} AND w.id = g.id`,
    ...[...given.parameters, filter.app],
  );
  return found
    .filter(
      (row) =>
        (filter.component === undefined || row.component === filter.component) &&
        (filter.type === undefined || row.type === filter.type) &&
        (filter.state === undefined || row.state === filter.state) &&
        (filter.key === undefined || row.order_key === filter.key),
    )
    .map((row) => ({
      ...{ id: row.id, component: row.component, state: row.state as WorkState },
      ...{ publishedAtMs: row.published_at_ms, dueAtMs: row.due_at_ms },
    }));
}

export interface ScannedPick {
  readonly state: WorkState;
  readonly publishedAtMs: number;
  readonly dueAtMs: number;
}

/** Components that something is kept for: as many looks as there are, whatever the number of rows. */
export function* componentsOfWork(app: string): Steps<readonly string[]> {
  const components: string[] = [];
  for (let after: string | null = null; ;) {
    const found: { component: string | null }[] = yield* rows<{ component: string | null }>(
      after === null
        ? 'SELECT min(component) AS component FROM work WHERE app = $1'
        : 'SELECT min(component) AS component FROM work WHERE app = $1 AND component > $2',
      ...(after === null ? [app] : [app, after]),
    );
    after = found[0]?.component ?? null;
    if (after === null) return components;
    components.push(after);
  }
}

/** Of one component in one state; stops at {@link COUNTED}. */
export function* countWork(app: string, component: string, state: WorkState): Steps<number> {
  const [found] = yield* rows<{ n: number }>(
    `SELECT count(*) AS n FROM (SELECT 1 AS one FROM work WHERE app = $1 AND component = $2 AND state = $3 LIMIT ${COUNTED}) AS counted`,
    ...[app, component, state],
  );
  return found!.n;
}

/** The types of unmatched events: as many looks as there are types. */
export function* typesUnmatched(app: string, limit: number): Steps<readonly string[]> {
  const types: string[] = [];
  let after = '';
  while (types.length < limit) {
    const [found] = yield* rows<{ type: string | null }>(
      `SELECT min(type) AS type FROM work WHERE app = $1 AND state = 'unmatched' AND type > $2`,
      ...[app, after],
    );
    const type = found?.type ?? null;
    if (type === null) break;
    types.push((after = type));
  }
  return types;
}

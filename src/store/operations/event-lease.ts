import type { Backlog, Delivery, LeaseOrder } from '../../model/event-store.ts';
import { COUNTED } from '../../model/event-store.ts';
import type { Dialect } from '../dialect.ts';
import { rows, run, type Steps } from '../steps.ts';
import { keyStates, keyText, lockKeys, lockName, positionAt, promote } from './event-keys.ts';
import { BY_WORK_KEY, DELIVERY_COLUMNS, deliveryOf, WORK_KEY, type WorkRow } from './event-rows.ts';

/** So many that were delayed join at a time; the next lease goes on. */
const JOIN_STEP = 500;

/** Due work of one component, the longest due first. */
export function* leaseWork(dialect: Dialect, order: LeaseOrder): Steps<readonly Delivery[]> {
  const { app, component, node, nowMs, mostLeased, maxBytes } = order;
  yield* joinDelayed(dialect, app, component, nowMs);
  let limit = Math.max(1, Math.floor(order.limit));
  if (mostLeased !== null) {
    // Two that count at once would both find room.
    yield* lockName(dialect, 'lease', app, component);
    limit = Math.min(limit, mostLeased - (yield* leasedOf(app, component, mostLeased)));
    if (limit <= 0) return [];
  }
  // What another node is about to lease is passed over.
  const skip = dialect.name === 'sqlite' ? '' : 'FOR UPDATE SKIP LOCKED';
  const due = yield* rows<{ id: string; data_bytes: number }>(
    `SELECT id, length(data) AS data_bytes FROM work
     WHERE app = $1 AND component = $2 AND state = 'ready' AND due_at_ms <= $3 ORDER BY due_at_ms LIMIT $4 ${skip}`,
    ...[app, component, Math.floor(nowMs), limit],
  );
  const ids: string[] = [];
  let bytes = 0;
  for (const { id, data_bytes: size } of due) {
    if (ids.length > 0 && bytes + size > maxBytes) break;
    bytes += size;
    ids.push(id);
  }
  if (ids.length === 0) return [];
  const given = dialect.given(
    WORK_KEY,
    ids.map((id) => [app, id, component]),
  );
  // They are ours already: nobody else changes them until the end of the transaction.
  const leased = yield* rows<WorkRow>(
    `UPDATE work SET state = 'leased', node = $${given.next}, attempt = attempt + 1
     WHERE (${BY_WORK_KEY}) IN (SELECT app, id, component FROM ${given.as('g')}) RETURNING ${DELIVERY_COLUMNS}`,
    ...[...given.parameters, node],
  );
  const byId = new Map(leased.map((row) => [row.id, row]));
  return ids.flatMap((id) => {
    const row = byId.get(id);
    return row === undefined ? [] : [deliveryOf(row)];
  });
}

function* leasedOf(app: string, component: string, most: number): Steps<number> {
  const [found] = yield* rows<{ n: number }>(
    `SELECT count(*) AS n FROM (SELECT 1 AS one FROM work WHERE app = $1 AND component = $2 AND state = 'leased' LIMIT $3) AS leased`,
    ...[app, component, most],
  );
  return found!.n;
}

interface DelayedRow {
  readonly id: string;
  readonly order_key: string | null;
  readonly due_at_ms: number;
}

/** What was delayed and is due takes its place: behind what its key has already. */
function* joinDelayed(dialect: Dialect, app: string, component: string, nowMs: number): Steps<void> {
  const due = yield* rows<DelayedRow>(
    `SELECT id, order_key, due_at_ms FROM work
     WHERE app = $1 AND component = $2 AND state = 'delayed' AND due_at_ms <= $3 ORDER BY due_at_ms, position LIMIT $4`,
    ...[app, component, Math.floor(nowMs), JOIN_STEP],
  );
  if (due.length === 0) return;
  const keys = due.flatMap(({ order_key: key }) => (key === null ? [] : [{ app, component, key }]));
  yield* lockKeys(dialect, keys);
  const states = yield* keyStates(dialect, keys);
  const places = due.map(({ id, order_key: key, due_at_ms: dueAtMs }) => {
    if (key === null) return [app, id, component, 'ready', 0];
    const state = states.get(keyText({ app, component, key }))!;
    state.last = Math.max(state.last + 1, positionAt(dueAtMs));
    return [app, id, component, 'blocked', state.last];
  });
  yield* moveWork(dialect, places, "work.state || '' = 'delayed'");
  yield* promote(dialect, keys);
}

/** Gives work its state and position, where it still is as `still` says. @param places app, id, component, state and position of each. */
function* moveWork(dialect: Dialect, places: readonly (readonly unknown[])[], still: string): Steps<number> {
  const given = dialect.given({ ...WORK_KEY, new_state: 'text', new_position: 'integer' }, places);
  return yield* run(
    `UPDATE work SET state = g.new_state, position = g.new_position FROM ${given.as('g')}
     WHERE work.app = g.app AND work.id = g.id AND work.component || '' = g.component AND ${still}`,
    ...given.parameters,
  );
}

/** Of all components that something is kept for. What was delayed and is due counts as ready: the next lease makes it so. */
export function* backlogOf(app: string, nowMs: number): Steps<readonly Backlog[]> {
  const of = (state: string): string => `w.app = $1 AND w.component = c.component AND w.state = '${state}'`;
  const count = (where: string): string =>
    `(SELECT count(*) FROM (SELECT 1 AS one FROM work w WHERE ${where} LIMIT ${COUNTED}) AS counted)`;
  const first = (where: string): string =>
    `(SELECT w.due_at_ms FROM work w WHERE ${where} ORDER BY w.due_at_ms LIMIT 1)`;
  const found = yield* rows<Record<string, number | null> & { component: string }>(
    // From one component to the next by the index: as many looks as there are components, whatever the number of rows.
    `WITH RECURSIVE c (component) AS (
       SELECT min(component) FROM work WHERE app = $1
       UNION ALL
       SELECT (SELECT min(w.component) FROM work w WHERE w.app = $1 AND w.component > c.component) FROM c WHERE c.component IS NOT NULL)
     SELECT c.component,
       ${count(`${of('ready')} AND w.due_at_ms <= $2`)} AS ready,
       ${count(`${of('delayed')} AND w.due_at_ms <= $2`)} AS joining,
       ${first(`${of('ready')} AND w.due_at_ms <= $2`)} AS oldest_ready,
       ${first(`${of('delayed')} AND w.due_at_ms <= $2`)} AS oldest_joining,
       ${first(`${of('ready')} AND w.due_at_ms > $2`)} AS next_ready,
       ${first(`${of('delayed')} AND w.due_at_ms > $2`)} AS next_delayed,
       ${count(of('leased'))} AS leased,
       ${count(of('blocked'))} AS blocked,
       ${count(`${of('delayed')} AND w.due_at_ms > $2`)} AS delayed,
       ${count(`${of('ready')} AND w.due_at_ms > $2`)} AS later,
       ${count(of('dead'))} AS dead,
       ${count(of('unmatched'))} AS unmatched
     FROM c WHERE c.component IS NOT NULL ORDER BY c.component`,
    ...[app, Math.floor(nowMs)],
  );
  return found.map((row) => ({
    component: row.component,
    ready: Math.min(COUNTED, row['ready']! + row['joining']!),
    oldestDueAtMs: least(row['oldest_ready']!, row['oldest_joining']!),
    nextDueAtMs: least(row['next_ready']!, row['next_delayed']!),
    leased: row['leased']!,
    // The unmatched wait for a component to take them.
    blocked: Math.min(COUNTED, row['blocked']! + row['unmatched']!),
    delayed: Math.min(COUNTED, row['delayed']! + row['later']!),
    dead: row['dead']!,
  }));
}

function least(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.min(a, b);
}

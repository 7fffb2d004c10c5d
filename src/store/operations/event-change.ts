import type { Dialect } from '../dialect.ts';
import { rows, run, type Steps } from '../steps.ts';
import { keyStates, keyText, lockKeys, lockName, positionAt, promote, type WorkKey } from './event-keys.ts';
import { BY_WORK_KEY, WORK_KEY } from './event-rows.ts';

/** One piece of work of an app. */
export interface Pick {
  readonly id: string;
  readonly component: string;
}

interface PickedRow extends Pick {
  readonly order_key: string | null;
  readonly state: string;
}

// Beside a key a state is asked for as an expression, so that no database goes through all that are in it: the way is by the key.

/** Dead ones come again, and those that wait for their next attempt need not. @returns how many. */
export function* retryWork(
  dialect: Dialect,
  app: string,
  picks: readonly Pick[],
  nowMs: number,
): Steps<number> {
  const found = yield* picked(dialect, app, picks, "w.state = 'dead'");
  const keys = keysOf(app, found);
  yield* lockKeys(dialect, keys);
  const given = dialect.given(WORK_KEY, valuesOf(app, picks));
  const again = yield* rows<{ id: string }>(
    `UPDATE work SET state = CASE WHEN order_key IS NULL THEN 'ready' ELSE 'blocked' END, due_at_ms = $${given.next}, attempt = 0
     WHERE (${BY_WORK_KEY}) IN (SELECT app, id, component FROM ${given.as('g')}) AND state || '' = 'dead' RETURNING id`,
    ...[...given.parameters, Math.floor(nowMs)],
  );
  const sooner = yield* run(
    `UPDATE work SET due_at_ms = $${given.next}, attempt = 0
     WHERE (${BY_WORK_KEY}) IN (SELECT app, id, component FROM ${given.as('g')}) AND state || '' = 'ready' AND due_at_ms > $${given.next}`,
    ...[...given.parameters, Math.floor(nowMs)],
  );
  yield* promote(dialect, keys);
  yield* awaitAnswers(
    dialect,
    app,
    again.map(({ id }) => id),
    null,
  );
  return again.length + sooner;
}

/** Forgets what is not leased, and answers that nothing will give any more. @returns how many. */
export function* dropWork(dialect: Dialect, app: string, picks: readonly Pick[]): Steps<number> {
  const keys = keysOf(app, yield* picked(dialect, app, picks, "w.state <> 'leased'"));
  yield* lockKeys(dialect, keys);
  const given = dialect.given(WORK_KEY, valuesOf(app, picks));
  const dropped = yield* rows<{ id: string }>(
    `DELETE FROM work WHERE (${BY_WORK_KEY}) IN (SELECT app, id, component FROM ${given.as('g')}) AND state <> 'leased' RETURNING id`,
    ...given.parameters,
  );
  yield* promote(dialect, keys);
  if (dropped.length > 0) {
    const gone = dialect.given(
      { app: 'text', id: 'text' },
      dropped.map(({ id }) => [app, id]),
    );
    yield* run(
      `DELETE FROM event_answers WHERE (app, id) IN (SELECT app, id FROM ${gone.as('g')}) AND state = 'waiting'`,
      ...gone.parameters,
    );
  }
  return dropped.length;
}

/** Gives work that is not leased to another component, behind what that has of the key; what it has already stays as it is. @returns how many. */
export function* redriveWork(
  dialect: Dialect,
  app: string,
  picks: readonly Pick[],
  to: string,
  nowMs: number,
): Steps<number> {
  const back = picks.filter(({ component }) => component === to);
  const retried = back.length === 0 ? 0 : yield* retryWork(dialect, app, back, nowMs);
  const others = picks.filter(({ component }) => component !== to);
  if (others.length === 0) return retried;
  const found = yield* picked(dialect, app, others, "w.state <> 'leased'");
  const from = keysOf(app, found);
  const keys = [...from, ...from.map(({ key }) => ({ app, component: to, key }))];
  yield* lockKeys(dialect, keys);
  const states = yield* keyStates(dialect, keys);
  const rowOf = new Map(found.map((row) => [pickText(row), row]));
  const taken = new Set<string>();
  // In the order in which they were picked, the oldest first.
  const moves = others.flatMap((pick) => {
    const row = rowOf.get(pickText(pick));
    if (row === undefined || taken.has(pick.id)) return [];
    taken.add(pick.id);
    const key = row.order_key;
    if (key === null) return [[app, pick.id, pick.component, 'ready', 0]];
    const state = states.get(keyText({ app, component: to, key }))!;
    state.last = Math.max(state.last + 1, positionAt(nowMs));
    return [[app, pick.id, pick.component, 'blocked', state.last]];
  });
  if (moves.length === 0) return retried;
  const given = dialect.given({ ...WORK_KEY, new_state: 'text', new_position: 'integer' }, moves);
  const moved = yield* rows<{ id: string }>(
    `UPDATE work SET component = $${given.next}, state = g.new_state, position = g.new_position, due_at_ms = $${given.next + 1}, attempt = 0
     FROM ${given.as('g')}
     WHERE work.app = g.app AND work.id = g.id AND work.component || '' = g.component AND work.state <> 'leased'
       AND NOT EXISTS (SELECT 1 FROM work AS had WHERE had.app = g.app AND had.id = g.id AND had.component = $${given.next})
     RETURNING work.id`,
    ...[...given.parameters, to, Math.floor(nowMs)],
  );
  yield* promote(dialect, keys);
  yield* awaitAnswers(
    dialect,
    app,
    moved.map(({ id }) => id),
    to,
  );
  return retried + moved.length;
}

/** The oldest unmatched events of a type go to `components`, one row each. @returns how many events. */
export function* matchWork(
  dialect: Dialect,
  order: {
    readonly app: string;
    readonly type: string;
    readonly components: readonly string[];
    readonly nowMs: number;
    readonly limit: number;
  },
): Steps<number> {
  const { app, type, components, nowMs, limit } = order;
  // Another node that does the same waits, and finds what is left.
  yield* lockName(dialect, 'match', app);
  const found = yield* rows<{ id: string; order_key: string | null }>(
    `SELECT id, order_key FROM work WHERE app = $1 AND type = $2 AND state = 'unmatched' ORDER BY published_at_ms, id LIMIT $3`,
    ...[app, type, limit],
  );
  if (found.length === 0) return 0;
  const keys = found.flatMap(({ order_key: key }) =>
    key === null ? [] : components.map((component) => ({ app, component, key })),
  );
  yield* lockKeys(dialect, keys);
  const states = yield* keyStates(dialect, keys);
  const places = found.flatMap(({ id, order_key: key }) =>
    components.map((component) => {
      if (key === null) return [app, id, component, 'ready', 0];
      const state = states.get(keyText({ app, component, key }))!;
      state.last = Math.max(state.last + 1, positionAt(nowMs));
      return [app, id, component, 'blocked', state.last];
    }),
  );
  const given = dialect.given({ ...WORK_KEY, new_state: 'text', new_position: 'integer' }, places);
  yield* run(
    `INSERT INTO work (app, id, component, kind, type, source, subject, order_key, time_ms, content_type, attributes, published_at_ms,
       state, due_at_ms, attempt, attempts, node, position, data)
     SELECT w.app, w.id, g.component, w.kind, w.type, w.source, w.subject, w.order_key, w.time_ms, w.content_type, w.attributes,
       w.published_at_ms, g.new_state, $${given.next}, 0, w.attempts, NULL, g.new_position, w.data
     FROM ${given.as('g')} JOIN work w ON w.app = g.app AND w.id = g.id AND w.component = ''`,
    ...[...given.parameters, Math.floor(nowMs)],
  );
  const gone = dialect.given(
    WORK_KEY,
    found.map(({ id }) => [app, id, '']),
  );
  const matched = yield* run(
    `DELETE FROM work WHERE (${BY_WORK_KEY}) IN (SELECT app, id, component FROM ${gone.as('g')})`,
    ...gone.parameters,
  );
  yield* promote(dialect, keys);
  return matched;
}

function* picked(
  dialect: Dialect,
  app: string,
  picks: readonly Pick[],
  where: string,
): Steps<readonly PickedRow[]> {
  const given = dialect.given(WORK_KEY, valuesOf(app, picks));
  return yield* rows<PickedRow>(
    `SELECT w.id, w.component, w.order_key, w.state FROM ${given.as('g')}
     JOIN work w ON w.app = g.app AND w.id = g.id AND w.component || '' = g.component WHERE ${where}`,
    ...given.parameters,
  );
}

/** What was answered with a failure is waited for again. @param component which it is for now; null: as before. */
function* awaitAnswers(
  dialect: Dialect,
  app: string,
  ids: readonly string[],
  component: string | null,
): Steps<void> {
  if (ids.length === 0) return;
  const given = dialect.given(
    { app: 'text', id: 'text', component: 'text' },
    ids.map((id) => [app, id, component]),
  );
  yield* run(
    `UPDATE event_answers SET state = 'waiting', ended_at_ms = NULL, outcome = NULL, status = NULL, fields = NULL, content_type = NULL,
       error = NULL, data = NULL, component = coalesce(g.component, event_answers.component)
     FROM ${given.as('g')} WHERE event_answers.app = g.app AND event_answers.id = g.id`,
    ...given.parameters,
  );
}

function keysOf(app: string, found: readonly PickedRow[]): WorkKey[] {
  return found.flatMap(({ component, order_key: key }) => (key === null ? [] : [{ app, component, key }]));
}

function valuesOf(app: string, picks: readonly Pick[]): unknown[][] {
  return picks.map(({ id, component }) => [app, id, component]);
}

function pickText({ id, component }: Pick): string {
  return JSON.stringify([id, component]);
}

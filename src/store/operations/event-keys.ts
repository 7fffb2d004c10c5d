import { createHash } from 'node:crypto';
import type { Dialect } from '../dialect.ts';
import { rows, run, type Steps } from '../steps.ts';
import { BY_WORK_KEY } from './event-rows.ts';

/** Work of one key of one component: at most one of it is `ready` or `leased`, and the others are `blocked`, in the order of their positions. */
export interface WorkKey {
  readonly app: string;
  readonly component: string;
  readonly key: string;
}

const KEY_COLUMNS = { app: 'text', component: 'text', order_key: 'text' } as const;

/** Of one transaction; with more it takes all that there are, as Postgres has room for some thousand locks in all. */
const MOST_LOCKS = 500;
/** Whoever locks single keys shares this one. Any number; `work` in ASCII. */
const ALL_KEYS = 0x776f726bn;

/**
 * Keeps everybody else from the keys until the end of the transaction. To be called before anything is read that decides over them, and once
 * in a transaction: locks are taken in the same order by all, so nobody waits for each other. SQLite has one writer anyway.
 */
export function* lockKeys(dialect: Dialect, keys: readonly WorkKey[]): Steps<void> {
  if (dialect.name === 'sqlite' || keys.length === 0) return;
  const locks = new Set(keys.map(({ app, component, key }) => lockOf(app, component, key)));
  if (locks.size > MOST_LOCKS) {
    yield* rows('SELECT pg_advisory_xact_lock($1)::text', String(ALL_KEYS));
    return;
  }
  // Rows of unnest come in the order of the list, and each takes its lock as it comes.
  yield* rows(
    `SELECT CASE WHEN n = 1 THEN pg_advisory_xact_lock_shared(lock)::text ELSE pg_advisory_xact_lock(lock)::text END
     FROM unnest($1::bigint[]) WITH ORDINALITY AS given (lock, n)`,
    [ALL_KEYS, ...[...locks].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))].map(String),
  );
}

/** For what only one transaction may do at a time. After {@link lockKeys}, if that too. */
export function* lockName(dialect: Dialect, ...name: readonly string[]): Steps<void> {
  if (dialect.name === 'sqlite') return;
  yield* rows('SELECT pg_advisory_xact_lock($1)::text', String(lockOf(...name)));
}

/** Two names may have the same lock; they then wait for each other, and nothing else. */
function lockOf(...name: readonly string[]): bigint {
  return createHash('sha1').update(JSON.stringify(name)).digest().readBigInt64BE();
}

/** Where the next one of a key goes. */
export interface KeyState {
  /** One is `ready` or `leased`. */
  taken: boolean;
  /** The highest position of those that are `ready`, `leased` or `blocked`; 0: there are none. */
  last: number;
}

/** Of keys that are locked, by {@link keyText}. */
export function* keyStates(dialect: Dialect, keys: readonly WorkKey[]): Steps<Map<string, KeyState>> {
  const states = new Map<string, KeyState>();
  const distinct = distinctKeys(keys);
  if (distinct.length === 0) return states;
  const given = dialect.given(KEY_COLUMNS, distinct.map(valuesOf));
  const same = 'w.app = g.app AND w.component = g.component AND w.order_key = g.order_key';
  const found = yield* rows<{
    app: string;
    component: string;
    order_key: string;
    head: number | null;
    last: number | null;
  }>(
    `SELECT g.app, g.component, g.order_key,
       (SELECT w.position FROM work w WHERE ${same} AND w.state IN ('ready', 'leased') LIMIT 1) AS head,
       (SELECT w.position FROM work w WHERE ${same} AND w.state = 'blocked' ORDER BY w.position DESC, w.id DESC LIMIT 1) AS last
     FROM ${given.as('g')}`,
    ...given.parameters,
  );
  for (const { app, component, order_key: key, head, last } of found) {
    states.set(keyText({ app, component, key }), {
      taken: head !== null,
      last: Math.max(head ?? 0, last ?? 0),
    });
  }
  return states;
}

/** Positions of a key grow with time, too: one that was dead for a while goes before those that came after it. */
const POSITIONS_PER_MS = 1_000;

export function positionAt(atMs: number): number {
  return Math.floor(atMs) * POSITIONS_PER_MS;
}

/** Of the keys that are free, the first of those that wait is ready. Of keys that are locked. */
export function* promote(dialect: Dialect, keys: readonly WorkKey[]): Steps<void> {
  const distinct = distinctKeys(keys);
  if (distinct.length === 0) return;
  const given = dialect.given(KEY_COLUMNS, distinct.map(valuesOf));
  const same = 'w.app = g.app AND w.component = g.component AND w.order_key = g.order_key';
  yield* run(
    `UPDATE work SET state = 'ready' WHERE (${BY_WORK_KEY}) IN (
       SELECT g.app, (SELECT w.id FROM work w WHERE ${same} AND w.state = 'blocked' ORDER BY w.position, w.id LIMIT 1), g.component
       FROM ${given.as('g')} WHERE NOT EXISTS (SELECT 1 FROM work w WHERE ${same} AND w.state IN ('ready', 'leased')))`,
    ...given.parameters,
  );
}

export function keyText({ app, component, key }: WorkKey): string {
  return JSON.stringify([app, component, key]);
}

function distinctKeys(keys: readonly WorkKey[]): readonly WorkKey[] {
  return keys.length < 2 ? keys : [...new Map(keys.map((key) => [keyText(key), key])).values()];
}

function valuesOf({ app, component, key }: WorkKey): string[] {
  return [app, component, key];
}

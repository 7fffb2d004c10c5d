import type { LeaseNode } from '../../model/event-store.ts';
import type { Dialect } from '../dialect.ts';
import { rows, run, type Steps } from '../steps.ts';
import { BY_WORK_KEY } from './event-rows.ts';

/** So many rows are changed in one step: some milliseconds, between which other work gets its turn. */
export const UPKEEP_STEP = 500;

export function* beatNode(node: string, aliveUntilMs: number): Steps<void> {
  yield* run(
    `INSERT INTO event_nodes (node, alive_until_ms) VALUES ($1, $2)
     ON CONFLICT (node) DO UPDATE SET alive_until_ms = excluded.alive_until_ms`,
    ...[node, Math.floor(aliveUntilMs)],
  );
}

/** All that have said that they live, and those that have leases and have not. */
export function* nodesOfLeases(): Steps<readonly LeaseNode[]> {
  const known = yield* rows<{ node: string; alive_until_ms: number }>(
    'SELECT node, alive_until_ms FROM event_nodes',
  );
  const nodes: LeaseNode[] = known.map((row) => ({ node: row.node, aliveUntilMs: row.alive_until_ms }));
  const names = new Set(nodes.map(({ node }) => node));
  for (const node of yield* nodesWithLeases()) if (!names.has(node)) nodes.push({ node, aliveUntilMs: null });
  return nodes;
}

/**
 * One step. Whoever leases has said first that it lives, so what a node has of which nothing is known is nobody's.
 * @returns how many are ready again; fewer than {@link UPKEEP_STEP}: that was all.
 */
export function* reclaimWork(
  dialect: Dialect,
  ended: readonly LeaseNode[] | { readonly allBut: string },
): Steps<number> {
  const nodes = yield* nodesOfLeases();
  const dead = nodes.filter(({ node, aliveUntilMs }) =>
    'allBut' in ended
      ? node !== ended.allBut
      : ended.some((one) => one.node === node && one.aliveUntilMs === aliveUntilMs),
  );
  if (dead.length === 0) return 0;
  const given = dialect.given(
    { node: 'text' },
    dead.map(({ node }) => [node]),
  );
  // What is being settled at this moment is not ours to wait for.
  const skip = dialect.name === 'sqlite' ? '' : 'FOR UPDATE OF w SKIP LOCKED';
  const reclaimed = yield* run(
    `UPDATE work SET state = 'ready', node = NULL WHERE (${BY_WORK_KEY}) IN (
       SELECT w.app, w.id, w.component FROM ${given.as('g')} JOIN work w ON w.node = g.node LIMIT ${UPKEEP_STEP} ${skip})`,
    ...given.parameters,
  );
  if (reclaimed < UPKEEP_STEP)
    yield* run(
      `DELETE FROM event_nodes WHERE node IN (SELECT node FROM ${given.as('g')})`,
      ...given.parameters,
    );
  return reclaimed;
}

/** From one to the next by the index: as many looks as there are nodes. */
function* nodesWithLeases(): Steps<string[]> {
  const nodes: string[] = [];
  for (let after = ''; ;) {
    const [found] = yield* rows<{ node: string | null }>(
      `SELECT min(node) AS node FROM work WHERE node > $1`,
      after,
    );
    const node = found?.node ?? null;
    if (node === null) return nodes;
    nodes.push((after = node));
  }
}

/** One step of forgetting what is to be forgotten by then. */
export function* pruneWork(nowMs: number): Steps<{ readonly forgotten: number; readonly more: boolean }> {
  const now = Math.floor(nowMs);
  const forgotten = yield* run(
    `DELETE FROM work WHERE state || '' IN ('dead', 'unmatched') AND (${BY_WORK_KEY}) IN (
       SELECT app, id, component FROM work WHERE state IN ('dead', 'unmatched') AND due_at_ms <= $1 ORDER BY due_at_ms LIMIT ${UPKEEP_STEP})`,
    now,
  );
  const dedupes = yield* run(
    `DELETE FROM event_dedupes WHERE until_ms <= $1 AND (app, dedupe_key) IN (
       SELECT app, dedupe_key FROM event_dedupes WHERE until_ms <= $1 ORDER BY until_ms LIMIT ${UPKEEP_STEP})`,
    now,
  );
  const answers = yield* run(
    `DELETE FROM event_answers WHERE (app, id) IN (
       SELECT app, id FROM event_answers WHERE forget_at_ms <= $1 ORDER BY forget_at_ms LIMIT ${UPKEEP_STEP})`,
    now,
  );
  return { forgotten, more: [forgotten, dedupes, answers].includes(UPKEEP_STEP) };
}

/** One step of forgetting all of an app. @returns whether there may be more. */
export function* removeWork(app: string): Steps<boolean> {
  for (const [table, key] of TABLES_OF_APPS) {
    const removed = yield* run(
      `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE app = $1 LIMIT ${UPKEEP_STEP})`,
      app,
    );
    if (removed > 0) return true;
  }
  return false;
}

/** Within a change of its own: what has come since the steps. */
export function* deleteWork(app: string): Steps<void> {
  for (const [table] of TABLES_OF_APPS) yield* run(`DELETE FROM ${table} WHERE app = $1`, app);
}

const TABLES_OF_APPS = [
  ['work', 'app, id, component'],
  ['event_dedupes', 'app, dedupe_key'],
  ['event_answers', 'app, id'],
  ['schedules', 'app, component, name'],
] as const;

import type { KeptWork, NewWork, WorkState } from '../../model/event-store.ts';
import type { Dialect } from '../dialect.ts';
import { rows, type Steps } from '../steps.ts';
import { keyStates, keyText, positionAt, type KeyState, type WorkKey } from './event-keys.ts';
import { keptText } from './event-rows.ts';

/** One that is to be kept; or the first one's id, where it is a duplicate. */
export type Sifted = { readonly work: NewWork } | { readonly duplicateOf: string };

/**
 * Tells duplicates: those whose dedupe key was used within its time, also by one before it here, and those of an id that is kept already (a
 * publisher that could not know whether its first try was kept). Of two nodes that do this at once one waits for the other.
 */
export function* siftWork(
  dialect: Dialect,
  nowMs: number,
  works: readonly NewWork[],
): Steps<readonly Sifted[]> {
  if (works.length === 0) return [];
  const named = works.map(normalized);
  const present = yield* presentIds(
    dialect,
    named.filter(({ isIdFresh }) => isIdFresh !== true),
  );
  const firsts = yield* claimDedupes(dialect, nowMs, named);
  const seen = new Set<string>();
  return named.map((work): Sifted => {
    const first = work.dedupe === null ? work.id : firsts.get(dedupeText(work.app, work.dedupe.key))!;
    const name = dedupeText(work.app, work.id);
    if (first !== work.id) return { duplicateOf: first };
    if (present.has(name) || seen.has(name)) return { duplicateOf: work.id };
    seen.add(name);
    return { work };
  });
}

/** What is compared with what the database gives back must be as that keeps it. */
function normalized(work: NewWork): NewWork {
  const { id, key, dedupe } = work;
  return {
    ...work,
    id: keptText(id),
    key: key === null ? null : keptText(key),
    dedupe: dedupe === null ? null : { ...dedupe, key: keptText(dedupe.key) },
  };
}

function* presentIds(dialect: Dialect, works: readonly NewWork[]): Steps<Set<string>> {
  if (works.length === 0) return new Set();
  const given = dialect.given(
    { app: 'text', id: 'text' },
    works.map(({ app, id }) => [app, id]),
  );
  const found = yield* rows<{ app: string; id: string }>(
    `SELECT DISTINCT w.app, w.id FROM ${given.as('g')} JOIN work w ON w.app = g.app AND w.id = g.id`,
    ...given.parameters,
  );
  return new Set(found.map(({ app, id }) => dedupeText(app, id)));
}

/** @returns by dedupe key the id of the event that has it. */
function* claimDedupes(
  dialect: Dialect,
  nowMs: number,
  works: readonly NewWork[],
): Steps<Map<string, string>> {
  const claims = new Map<string, { app: string; key: string; untilMs: number; id: string }>();
  for (const { app, id, dedupe } of works) {
    if (dedupe === null) continue;
    const name = dedupeText(app, dedupe.key);
    if (!claims.has(name))
      claims.set(name, { app, key: dedupe.key, untilMs: Math.floor(dedupe.untilMs), id });
  }
  const firsts = new Map<string, string>();
  if (claims.size === 0) return firsts;
  // In one order, so that two who claim the same keys do not wait for each other.
  const sorted = [...claims].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, claim]) => claim);
  const given = dialect.given(
    { app: 'text', dedupe_key: 'text', until_ms: 'integer', id: 'text' },
    sorted.map(({ app, key, untilMs, id }) => [app, key, untilMs, id]),
  );
  const claimed = yield* rows<{ app: string; dedupe_key: string; id: string }>(
    `INSERT INTO event_dedupes (app, dedupe_key, until_ms, id)
     SELECT app, dedupe_key, until_ms, id FROM ${given.as('g')} WHERE true
     ON CONFLICT (app, dedupe_key) DO UPDATE SET until_ms = excluded.until_ms, id = excluded.id
       WHERE event_dedupes.until_ms <= $${given.next}
     RETURNING app, dedupe_key, id`,
    ...given.parameters,
    Math.floor(nowMs),
  );
  for (const row of claimed) firsts.set(dedupeText(row.app, row.dedupe_key), row.id);
  const taken = sorted.filter(({ app, key }) => !firsts.has(dedupeText(app, key)));
  if (taken.length === 0) return firsts;
  const others = dialect.given(
    { app: 'text', dedupe_key: 'text' },
    taken.map(({ app, key }) => [app, key]),
  );
  const found = yield* rows<{ app: string; dedupe_key: string; id: string }>(
    `SELECT d.app, d.dedupe_key, d.id FROM ${others.as('g')}
     JOIN event_dedupes d ON d.app = g.app AND d.dedupe_key = g.dedupe_key`,
    ...others.parameters,
  );
  for (const row of found) firsts.set(dedupeText(row.app, row.dedupe_key), row.id);
  return firsts;
}

/** Of those that take their place in a key's order at once. */
export function keysOfWork(sifted: readonly Sifted[]): readonly WorkKey[] {
  return sifted.flatMap((one) => {
    if (!('work' in one)) return [];
    const { app, components, key } = one.work;
    if (key === null || isDelayed(one.work)) return [];
    return components.map((component) => ({ app, component, key }));
  });
}

/** Their keys must be locked. */
export function* insertWork(
  dialect: Dialect,
  node: string,
  sifted: readonly Sifted[],
): Steps<readonly KeptWork[]> {
  const states = yield* keyStates(dialect, keysOfWork(sifted));
  const inserted: unknown[][] = [];
  const answers: unknown[][] = [];
  const kept = sifted.map((one): KeptWork => {
    if ('duplicateOf' in one) return { id: one.duplicateOf, duplicate: true, leased: [] };
    const { work } = one;
    const leased: string[] = [];
    for (const component of work.components) {
      const { state, position } = placeOf(work, component, states);
      if (state === 'leased') leased.push(component);
      inserted.push(valuesOf(work, component, state, position, node));
    }
    if (work.components.length === 0) inserted.push(valuesOf(work, '', 'unmatched', 0, node));
    if (work.answerUntilMs !== null) answers.push(answerValues(work, work.answerUntilMs));
    return { id: work.id, duplicate: false, leased };
  });
  if (inserted.length > 0) yield { into: 'work', rows: inserted, anew: true };
  if (answers.length > 0) yield { into: 'event_answers', rows: answers };
  return kept;
}

function isDelayed({ dueAtMs, publishedAtMs }: NewWork): boolean {
  return dueAtMs > publishedAtMs;
}

/** Takes the place in `states`, too. */
function placeOf(
  work: NewWork,
  component: string,
  states: Map<string, KeyState>,
): { state: WorkState; position: number } {
  const { app, key } = work;
  const now: WorkState = work.leaseFor.includes(component) ? 'leased' : 'ready';
  const position = key === null ? 0 : positionAt(work.publishedAtMs);
  if (isDelayed(work)) return { state: 'delayed', position };
  if (key === null) return { state: now, position };
  const state = states.get(keyText({ app, component, key }))!;
  const taken = state.taken;
  state.taken = true;
  state.last = Math.max(state.last + 1, position);
  return { state: taken ? 'blocked' : now, position: state.last };
}

/** In the order of the table's columns. */
function valuesOf(
  work: NewWork,
  component: string,
  state: WorkState,
  position: number,
  node: string,
): unknown[] {
  const publishedAtMs = Math.floor(work.publishedAtMs);
  const dueAtMs =
    state === 'unmatched' ? work.forgetAtMs : state === 'delayed' ? work.dueAtMs : publishedAtMs;
  return [
    work.app,
    work.id,
    component,
    work.kind,
    work.type,
    work.source,
    work.subject,
    work.key,
    Math.floor(work.timeMs),
    work.contentType,
    work.attributes,
    publishedAtMs,
    state,
    Math.floor(dueAtMs),
    state === 'leased' ? 1 : 0,
    '[]',
    state === 'leased' ? node : null,
    position,
    work.data,
  ];
}

function answerValues(work: NewWork, forgetAtMs: number): unknown[] {
  return [
    ...[work.app, work.id, work.components[0] ?? '', work.kind, work.type, 'waiting'],
    ...[Math.floor(work.publishedAtMs), null, Math.floor(forgetAtMs)],
    ...[null, null, null, null, null, null],
  ];
}

function dedupeText(app: string, key: string): string {
  return JSON.stringify([app, key]);
}

import type { Attempt } from '../../model/event.ts';
import { KEPT_ATTEMPTS, type Settlement, type WorkAnswer } from '../../model/event-store.ts';
import type { Dialect } from '../dialect.ts';
import { rows, run, type Steps } from '../steps.ts';
import { promote, type WorkKey } from './event-keys.ts';
import { attemptsOf, BY_WORK_KEY, WORK_KEY } from './event-rows.ts';
import { scheduleSettled, type ScheduleEnd } from './schedule-outcome.ts';

const LEASE_COLUMNS = { ...WORK_KEY, attempt: 'integer' } as const;
/**
 * Rows of the settlements whose lease still holds; only what is leased has a node. An expression, so that no database goes through all that
 * the node has leased: the way is by the key.
 */
const HELD_BY = "coalesce(work.node, '') =";
const OF_LEASES = `(${BY_WORK_KEY}, attempt) IN (SELECT app, id, component, attempt FROM`;

/** A settlement and the row that it is of, which is still leased as it says. */
interface Held {
  readonly settlement: Settlement;
  readonly row: HeldRow;
}

interface HeldRow {
  readonly app: string;
  readonly id: string;
  readonly component: string;
  readonly kind: string;
  readonly type: string;
  readonly order_key: string | null;
  readonly attempt: number;
  readonly attempts: string;
}

/** What is being settled: what of it is done with already, and what needs its keys locked first. */
export interface Settling {
  readonly held: Map<Settlement, HeldRow>;
  readonly open: readonly Held[];
  /** To be locked before {@link finishSettling}. */
  readonly keys: readonly WorkKey[];
}

/**
 * Deletes what is done and has no key, which is most of it mostly, and looks what else is still leased. A second settlement of the same
 * delivery here counts for nothing.
 */
export function* beginSettling(
  dialect: Dialect,
  node: string,
  settlements: readonly Settlement[],
): Steps<Settling> {
  const held = new Map<Settlement, HeldRow>();
  const waiting = new Map<string, Settlement>();
  for (const settlement of settlements) {
    const lease = leaseText(settlement);
    if (!waiting.has(lease)) waiting.set(lease, settlement);
  }
  const done = [...waiting.values()].filter(({ outcome }) => outcome.as === 'done');
  if (done.length > 0) {
    const given = dialect.given(LEASE_COLUMNS, done.map(leaseValues));
    const gone = yield* rows<HeldRow>(
      `DELETE FROM work WHERE ${OF_LEASES} ${given.as('g')}) AND ${HELD_BY} $${given.next} AND order_key IS NULL
       RETURNING app, id, component, kind, type, order_key, attempt, attempts`,
      ...given.parameters,
      node,
    );
    for (const row of gone) {
      held.set(waiting.get(leaseText(row))!, row);
      waiting.delete(leaseText(row));
    }
  }
  if (waiting.size === 0) return { held, open: [], keys: [] };
  const given = dialect.given(LEASE_COLUMNS, [...waiting.values()].map(leaseValues));
  const found = yield* rows<HeldRow>(
    `SELECT app, id, component, kind, type, order_key, attempt, attempts FROM work
     WHERE ${OF_LEASES} ${given.as('g')}) AND ${HELD_BY} $${given.next}`,
    ...given.parameters,
    node,
  );
  const open = found.map((row): Held => ({ settlement: waiting.get(leaseText(row))!, row }));
  const keys = open.flatMap(({ settlement, row }) =>
    row.order_key === null || settlement.outcome.as === 'again'
      ? []
      : [{ app: row.app, component: row.component, key: row.order_key }],
  );
  return { held, open, keys };
}

/** @returns as `settlements`: whether its lease was still held. */
export function* finishSettling(
  dialect: Dialect,
  node: string,
  nowMs: number,
  settlements: readonly Settlement[],
  { held, open, keys }: Settling,
): Steps<readonly boolean[]> {
  if (open.length > 0) {
    const rowOf = new Map(open.map((one) => [nameOf(one.row), one]));
    const taken: { app: string; id: string; component: string }[] = [];
    const done = open.filter(({ settlement }) => settlement.outcome.as === 'done');
    if (done.length > 0) {
      const given = dialect.given(
        LEASE_COLUMNS,
        done.map(({ settlement }) => leaseValues(settlement)),
      );
      taken.push(
        ...(yield* rows<HeldRow>(
          `DELETE FROM work WHERE ${OF_LEASES} ${given.as('g')}) AND ${HELD_BY} $${given.next} RETURNING app, id, component`,
          ...given.parameters,
          node,
        )),
      );
    }
    taken.push(...(yield* updateOthers(dialect, node, open)));
    for (const row of taken) {
      const one = rowOf.get(nameOf(row))!;
      held.set(one.settlement, one.row);
    }
    yield* promote(dialect, keys);
  }
  yield* keepAnswers(dialect, nowMs, held);
  for (const end of endsOfSchedules(nowMs, held)) yield* scheduleSettled(dialect, end);
  return settlements.map((settlement) => held.has(settlement));
}

/** Those that come again, and those that are given up. */
function* updateOthers(dialect: Dialect, node: string, open: readonly Held[]): Steps<HeldRow[]> {
  const values = open.flatMap(({ settlement, row }) => {
    const { outcome } = settlement;
    if (outcome.as === 'done') return [];
    const again = outcome.as === 'again';
    return [
      [
        ...leaseValues(settlement),
        again ? 'ready' : 'dead',
        Math.floor(again ? outcome.dueAtMs : outcome.forgetAtMs),
        again && !outcome.counts ? Math.max(0, settlement.attempt - 1) : settlement.attempt,
        withAttempt(row.attempts, outcome.attempt),
      ],
    ];
  });
  if (values.length === 0) return [];
  const given = dialect.given(
    {
      ...LEASE_COLUMNS,
      new_state: 'text',
      new_due_at_ms: 'integer',
      new_attempt: 'integer',
      new_attempts: 'text',
    },
    values,
  );
  return yield* rows<HeldRow>(
    `UPDATE work SET state = g.new_state, due_at_ms = g.new_due_at_ms, attempt = g.new_attempt, attempts = g.new_attempts, node = NULL
     FROM ${given.as('g')}
     WHERE work.app = g.app AND work.id = g.id AND work.component || '' = g.component AND work.attempt = g.attempt
       AND ${HELD_BY} $${given.next}
     RETURNING work.app, work.id, work.component`,
    ...given.parameters,
    node,
  );
}

function withAttempt(text: string, attempt: Attempt | null): string {
  return attempt === null ? text : JSON.stringify([...attemptsOf(text), attempt].slice(-KEPT_ATTEMPTS));
}

function* keepAnswers(dialect: Dialect, nowMs: number, held: Map<Settlement, HeldRow>): Steps<void> {
  const values = [...held.keys()].flatMap(({ app, id, outcome }) => {
    if (outcome.as === 'again' || outcome.answer === null) return [];
    const { answer } = outcome;
    const state = outcome.as === 'done' ? 'done' : 'failed';
    return [[app, id, state, ...answerValues(answer)]];
  });
  if (values.length === 0) return;
  const given = dialect.given(
    {
      ...{ app: 'text', id: 'text', new_state: 'text', new_outcome: 'text', new_status: 'integer' },
      ...{ new_fields: 'text', new_content_type: 'text', new_error: 'text', new_data: 'bytes' },
    },
    values,
  );
  yield* run(
    `UPDATE event_answers SET state = g.new_state, outcome = g.new_outcome, status = g.new_status, fields = g.new_fields,
       content_type = g.new_content_type, error = g.new_error, data = g.new_data, ended_at_ms = $${given.next}
     FROM ${given.as('g')} WHERE event_answers.app = g.app AND event_answers.id = g.id`,
    ...given.parameters,
    Math.floor(nowMs),
  );
}

function answerValues(answer: WorkAnswer): unknown[] {
  const { outcome, status, fields, contentType, error, data } = answer;
  return [outcome, status, fields, contentType, error === null ? null : JSON.stringify(error), data];
}

function endsOfSchedules(nowMs: number, held: Map<Settlement, HeldRow>): ScheduleEnd[] {
  const ends: ScheduleEnd[] = [];
  for (const [{ outcome }, { kind, app, component, type }] of held) {
    if (kind !== 'schedule' || outcome.as === 'again') continue;
    const failed = outcome.as === 'dead';
    ends.push({
      ...{ app, component, name: type, endedAtMs: Math.floor(nowMs) },
      ...{ state: failed ? 'failed' : 'ok', message: failed ? outcome.attempt.error.message : null },
    });
  }
  return ends;
}

function leaseValues({ app, id, component, attempt }: Settlement): unknown[] {
  return [app, id, component, attempt];
}

function leaseText(lease: { app: string; id: string; component: string; attempt: number }): string {
  return JSON.stringify([lease.app, lease.id, lease.component, lease.attempt]);
}

function nameOf({ app, id, component }: { app: string; id: string; component: string }): string {
  return JSON.stringify([app, id, component]);
}

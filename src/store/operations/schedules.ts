import type {
  ScheduleOutcome,
  ScheduleRecord,
  ScheduleStore,
  TickOrder,
  TickResult,
} from '../../model/schedule-store.ts';
import type { Dialect } from '../dialect.ts';
import { changing, noting, reading, type Operation } from '../operation.ts';
import { all, change, type Steps } from '../steps.ts';
import type { Schema } from '../tables.ts';
import { hasScheduleWork, keepWork } from './work-insert.ts';

export interface SyncOrder {
  readonly app: string;
  readonly schedules: Parameters<ScheduleStore['sync']>[1];
  readonly nowMs: number;
}

export interface RewindOrder {
  readonly app: string;
  readonly component: string;
  readonly name: string;
  readonly nowMs: number;
}

/**
 * A rewind leaves alone what is ahead by no more: another node has put it back a moment ago, by a clock that may differ a little, and has
 * fired a tick since.
 */
const LEAST_REWIND_MS = 60_000;
const STILL_RUNS = 'The one before still ran.';

export const scheduleOperations = {
  'schedules.sync': changing(function* (dialect, { app, schedules, nowMs }: SyncOrder) {
    const { db } = dialect;
    const kept = new Map((yield* rowsOf(dialect, app)).map((row) => [keyOf(row), row]));
    for (const { component, name, spec } of schedules) {
      const key = keyOf({ component, name });
      const before = kept.get(key);
      kept.delete(key);
      if (before?.spec === spec) continue;
      const begun = { spec, since_ms: Math.floor(nowMs), last_tick_ms: null, last_state: null };
      const values = { ...begun, last_ended_at_ms: null, last_message: null };
      yield* change(
        db
          .insertInto('schedules')
          .values({ app, component, name, ...values })
          .onConflict((conflict) => conflict.columns(['app', 'component', 'name']).doUpdateSet(values)),
      );
    }
    for (const { component, name } of kept.values()) {
      yield* change(
        db
          .deleteFrom('schedules')
          .where('app', '=', app)
          .where('component', '=', component)
          .where('name', '=', name),
      );
    }
    return (yield* rowsOf(dialect, app)).map(recordOf);
  }),

  'schedules.list': reading(function* (dialect, app: string) {
    return (yield* rowsOf(dialect, app)).map(recordOf);
  }),

  /**
   * Not alone: the claim locks the schedule's row, and who comes second waits for it and then sees what was claimed. So there is nothing
   * to be begun anew, however many nodes ask at once.
   */
  'schedules.tick': {
    ...{ keeps: 'power', alone: false, frees: false },
    *steps(dialect, order) {
      if (!(yield* claim(dialect, order))) return { tick: 'taken' };
      const { app, component, name, work, node, nowMs } = order;
      if (work === null) return { tick: 'skipped' };
      if (!order.overlaps && (yield* hasScheduleWork(dialect, app, component, name))) {
        yield* change(
          updateOf(dialect, order).set({
            last_state: 'skipped',
            last_ended_at_ms: Math.floor(nowMs),
            last_message: STILL_RUNS,
          }),
        );
        return { tick: 'skipped' };
      }
      const kept = yield* keepWork(dialect, node, nowMs, work);
      return { tick: 'fired', leased: kept.leased.includes(component) };
    },
  } satisfies Operation<TickOrder, TickResult>,

  'schedules.rewind': noting(function* (dialect, order: RewindOrder) {
    const nowMs = Math.floor(order.nowMs);
    const aheadMs = nowMs + LEAST_REWIND_MS;
    yield* change(
      updateOf(dialect, order)
        .set((is) => ({
          since_ms: is.case().when('since_ms', '>', nowMs).then(nowMs).else(is.ref('since_ms')).end(),
          last_tick_ms: is
            .case()
            .when('last_tick_ms', '>', nowMs)
            .then(nowMs)
            .else(is.ref('last_tick_ms'))
            .end(),
        }))
        .where((is) => is.or([is('since_ms', '>', aheadMs), is('last_tick_ms', '>', aheadMs)])),
    );
  }),
};

/** Makes the order's tick the last one, where neither it nor a later one has been, and the schedule is still what was ordered. */
function* claim(dialect: Dialect, order: TickOrder): Steps<boolean> {
  const { tickMs, work, nowMs, why } = order;
  const ends = { last_state: 'skipped', last_ended_at_ms: Math.floor(nowMs), last_message: why };
  const query = updateOf(dialect, order)
    .set({
      last_tick_ms: tickMs,
      ...(work === null ? ends : { last_state: 'running', last_ended_at_ms: null, last_message: null }),
    })
    .where('spec', '=', order.spec)
    .where((is) => is.or([is('last_tick_ms', 'is', null), is('last_tick_ms', '<', tickMs)]));
  // What was past before the schedule was there can be skipped, to say so, and never fired.
  return (yield* change(work === null ? query : query.where('since_ms', '<', tickMs))) > 0;
}

/** A change of one schedule. */
function updateOf(
  { db }: Dialect,
  { app, component, name }: { readonly app: string; readonly component: string; readonly name: string },
) {
  return db
    .updateTable('schedules')
    .where('app', '=', app)
    .where('component', '=', component)
    .where('name', '=', name);
}

function rowsOf({ db }: Dialect, app: string): Steps<Schema['schedules'][]> {
  return all(
    db.selectFrom('schedules').selectAll().where('app', '=', app).orderBy('component').orderBy('name'),
  );
}

/** Neither has a space in it. */
function keyOf({ component, name }: { readonly component: string; readonly name: string }): string {
  return `${component} ${name}`;
}

function recordOf(row: Schema['schedules']): ScheduleRecord {
  return {
    app: row.app,
    component: row.component,
    name: row.name,
    spec: row.spec,
    sinceMs: row.since_ms,
    lastTickMs: row.last_tick_ms,
    last:
      row.last_state === null
        ? null
        : {
            state: row.last_state as ScheduleOutcome['state'],
            endedAtMs: row.last_ended_at_ms,
            message: row.last_message,
          },
  };
}

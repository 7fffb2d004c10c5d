import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Schedule, ScheduledAt } from '../../model/work-settings.ts';
import { planSchedule, PUT_BACK_MS, type SchedulePlan } from './plan.ts';
import { isFixedTime, latestTick, nextTick } from './ticks.ts';

const RUNS = { numRuns: process.env['FULCRUM_FULL'] === '1' ? 3_000 : 300 };
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW_MS = Date.UTC(2026, 5, 1, 12);

const nightly = { kind: 'cron', cron: '0 2 * * *', timeZone: 'UTC' } as const;
const hourly = { kind: 'cron', cron: '0 * * * *', timeZone: 'UTC' } as const;
const TWO = Date.UTC(2026, 5, 1, 2);

function plan(
  when: ScheduledAt,
  known: { sinceMs: number; lastTickMs?: number | null },
  nowMs: number,
  more: { missed?: Schedule['missed']; putBack?: boolean } = {},
): SchedulePlan {
  return planSchedule(
    { when, missed: more.missed ?? 'run' },
    { lastTickMs: null, ...known },
    { nowMs, putBack: more.putBack ?? false },
  );
}

test('a new schedule begins now: what was due before is nothing to it', () => {
  const next = { do: 'wait', untilMs: TWO + 24 * HOUR_MS } as const;
  assert.deepEqual(plan(nightly, { sinceMs: NOW_MS }, NOW_MS), next);
  assert.deepEqual(plan(nightly, { sinceMs: TWO }, NOW_MS), next);
  assert.deepEqual(plan(nightly, { sinceMs: TWO - 1 }, TWO), { do: 'fire', tickMs: TWO, passedOver: false });
  assert.deepEqual(plan(nightly, { sinceMs: TWO - 1 }, TWO - 1), { do: 'wait', untilMs: TWO });
  assert.deepEqual(plan(nightly, { sinceMs: 0, lastTickMs: TWO }, NOW_MS), next);
});

test('of ticks that were missed the latest runs, or none', () => {
  const known = { sinceMs: TWO - 100 * HOUR_MS, lastTickMs: TWO - 72 * HOUR_MS };
  assert.deepEqual(plan(nightly, known, NOW_MS), { do: 'fire', tickMs: TWO, passedOver: true });
  const why = 'It was missed: it was due at 2026-06-01T02:00:00.000Z.';
  assert.deepEqual(plan(nightly, known, NOW_MS, { missed: 'skip' }), { do: 'skip', tickMs: TWO, why });
  // One that is a little late was not missed.
  const late = plan(nightly, known, TWO + MINUTE_MS, { missed: 'skip' });
  assert.deepEqual(late, { do: 'fire', tickMs: TWO, passedOver: true });
  assert.equal(plan(nightly, known, TWO + MINUTE_MS + 1, { missed: 'skip' }).do, 'skip');
});

test('a single time comes once; one that is past when it is first seen is skipped, and says so', () => {
  const at = { kind: 'at', atMs: NOW_MS } as const;
  assert.deepEqual(plan(at, { sinceMs: NOW_MS - 2 }, NOW_MS - 1), { do: 'wait', untilMs: NOW_MS });
  const fire = { do: 'fire', tickMs: NOW_MS, passedOver: false } as const;
  assert.deepEqual(plan(at, { sinceMs: NOW_MS - 2 }, NOW_MS), fire);
  assert.deepEqual(plan(at, { sinceMs: NOW_MS - 2 }, NOW_MS + 9 * HOUR_MS), fire);
  assert.equal(plan(at, { sinceMs: 0 }, NOW_MS + HOUR_MS, { missed: 'skip' }).do, 'skip');
  const why = 'Its time had passed when it was first seen.';
  assert.deepEqual(plan(at, { sinceMs: NOW_MS }, NOW_MS), { do: 'skip', tickMs: NOW_MS, why });
  for (const nowMs of [NOW_MS, 0, NOW_MS + 9e9])
    assert.deepEqual(plan(at, { sinceMs: 5, lastTickMs: NOW_MS }, nowMs), { do: 'wait', untilMs: null });
});

test('a clock that is put back by up to three hours runs nothing twice; by more, it is taken as it is', () => {
  const known = { sinceMs: 0, lastTickMs: TWO };
  for (const putBack of [false, true]) {
    for (const backMs of [1, HOUR_MS, 3 * HOUR_MS]) {
      const held = { do: 'wait', untilMs: TWO + 24 * HOUR_MS } as const;
      assert.deepEqual(plan(nightly, known, TWO - backMs, { putBack }), held);
    }
    const far = plan(nightly, known, TWO - 3 * HOUR_MS - 1, { putBack });
    assert.deepEqual(far, { do: 'rewind', aheadMs: 3 * HOUR_MS + 1 });
  }
});

test('what goes by how often goes on where the clock is, once that was seen to be put back', () => {
  const known = { sinceMs: 0, lastTickMs: NOW_MS };
  const back = NOW_MS - 2 * HOUR_MS;
  assert.deepEqual(plan(hourly, known, back, { putBack: true }), { do: 'rewind', aheadMs: 2 * HOUR_MS });
  // Another node's clock may be ahead of this one's.
  assert.deepEqual(plan(hourly, known, back), { do: 'wait', untilMs: NOW_MS + HOUR_MS });
  const little = NOW_MS - PUT_BACK_MS;
  assert.equal(plan(hourly, known, little, { putBack: true }).do, 'wait');
  const every = { kind: 'every', everyMs: 1_000, text: '@every 1s' } as const;
  assert.equal(plan(every, known, little, { putBack: true }).do, 'wait');
  assert.equal(plan(every, known, little - 1, { putBack: true }).do, 'rewind');
});

/** What is known of a schedule, as the store has it, with everything that was fired. */
class Model {
  sinceMs: number;
  lastTickMs: number | null = null;
  readonly fired: number[] = [];
  readonly when: ScheduledAt;
  readonly missed: Schedule['missed'];

  constructor(when: ScheduledAt, missed: Schedule['missed'], nowMs: number) {
    this.when = when;
    this.missed = missed;
    this.sinceMs = nowMs;
  }

  /** One round of a scheduler, as often as it has something to do. */
  round(nowMs: number, putBack = false): SchedulePlan {
    for (let turns = 0; turns < 3; turns++) {
      const plan = planSchedule(this, this, { nowMs, putBack });
      if (plan.do === 'wait') return plan;
      if (plan.do === 'rewind') {
        this.sinceMs = Math.min(this.sinceMs, nowMs);
        this.lastTickMs = this.lastTickMs === null ? null : Math.min(this.lastTickMs, nowMs);
        continue;
      }
      this.lastTickMs = plan.tickMs;
      if (plan.do === 'fire') this.fired.push(plan.tickMs);
    }
    return assert.fail('it never comes to rest');
  }
}

const anyWhen = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        '0 2 * * *',
        '30 2,14 * * *',
        '*/7 * * * *',
        '0 * * * *',
        '15 */3 * * *',
        '*/30 * * * * *',
      ),
      fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York'),
    )
    .map(([cron, timeZone]): ScheduledAt => ({ kind: 'cron', cron, timeZone })),
  fc
    .constantFrom(1_000, 30_000, 7 * MINUTE_MS, 25 * HOUR_MS)
    .map((everyMs): ScheduledAt => ({ kind: 'every', everyMs, text: '' })),
);
const anyStart = fc.constantFrom(
  Date.UTC(2026, 2, 28, 20, 0, 1),
  Date.UTC(2026, 9, 24, 20, 0, 1),
  Date.UTC(2026, 10, 1, 3, 1, 2),
  NOW_MS + 1,
);

test('over any clock that goes forward, no tick fires twice and none is lost but those that were missed', () => {
  // Naps as they are, pauses as they may be.
  const stepMs = fc.oneof(
    fc.integer({ min: 1, max: 30_000 }),
    fc.integer({ min: 1, max: HOUR_MS }),
    fc.integer({ min: 1, max: 50 * HOUR_MS }),
  );
  const missed = fc.constantFrom<Schedule['missed']>('run', 'skip');
  fc.assert(
    fc.property(
      anyWhen,
      missed,
      anyStart,
      fc.array(stepMs, { maxLength: 40 }),
      (when, kind, startMs, steps) => {
        const model = new Model(when, kind, startMs);
        let nowMs = startMs;
        for (const byMs of steps) {
          const beforeMs = nowMs;
          nowMs += byMs;
          const count = model.fired.length;
          const rest = model.round(nowMs);
          const dueMs = latestTick(when, nowMs)!;
          // Of the ticks in between the latest is due, if there was any; it alone fires, unless it was missed and is not to.
          const due = dueMs > beforeMs && (kind === 'run' || nowMs - dueMs <= MINUTE_MS);
          assert.deepEqual(model.fired.slice(count), due ? [dueMs] : []);
          assert.deepEqual(rest, { do: 'wait', untilMs: nextTick(when, nowMs) });
        }
        assert.equal(new Set(model.fired).size, model.fired.length);
      },
    ),
    RUNS,
  );
});

test('over any clock, set forward and back by up to three hours, what names its time fires each tick once', () => {
  const stepMs = fc.oneof(
    fc.integer({ min: 1, max: HOUR_MS }),
    fc.integer({ min: -170 * MINUTE_MS, max: 10 * HOUR_MS }),
  );
  fc.assert(
    fc.property(anyWhen, anyStart, fc.array(stepMs, { maxLength: 60 }), (when, startMs, steps) => {
      const model = new Model(when, 'run', startMs);
      let nowMs = startMs;
      let furthestMs = startMs;
      for (const byMs of steps) {
        // Never behind where it was furthest by more than that.
        nowMs = Math.max(nowMs + byMs, furthestMs - 3 * HOUR_MS);
        furthestMs = Math.max(furthestMs, nowMs);
        model.round(nowMs, byMs < -PUT_BACK_MS && isFixedTime(when));
      }
      assert.equal(new Set(model.fired).size, model.fired.length);
      assert.deepEqual(
        model.fired,
        model.fired.toSorted((a, b) => a - b),
      );
      const dueMs = latestTick(when, furthestMs)!;
      if (dueMs > startMs) assert.equal(model.fired.at(-1), dueMs);
    }),
    RUNS,
  );
});

test('over any clock at all it goes on: what is held back is three hours, and five minutes of what goes by how often', () => {
  const jumpMs = fc.integer({ min: -400 * 24 * HOUR_MS, max: 400 * 24 * HOUR_MS });
  fc.assert(
    fc.property(anyWhen, fc.array(jumpMs, { minLength: 1, maxLength: 10 }), (when, jumps) => {
      let nowMs = NOW_MS;
      const model = new Model(when, 'run', nowMs);
      for (const byMs of jumps) {
        nowMs += byMs;
        const rest = model.round(nowMs, byMs < -PUT_BACK_MS);
        assert.ok(rest.do === 'wait' && rest.untilMs !== null);
        const heldMs = isFixedTime(when) ? 3 * HOUR_MS : PUT_BACK_MS;
        assert.ok(rest.untilMs <= nextTick(when, nowMs + heldMs)!);
      }
    }),
    RUNS,
  );
});

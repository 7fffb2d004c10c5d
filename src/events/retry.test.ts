import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Delivery } from '../model/event-store.ts';
import { DEFAULT_RETRY } from '../model/work-settings.ts';
import { afterFailure, DEAD_KEPT_MS, pauseMs, refusedPauseMs, type Failure } from './retry.ts';

const NOW_MS = 1_000_000_000;
const failure: Failure = {
  error: { code: 'handler-error', message: 'no' },
  ...{ counts: true, notBeforeMs: null, pauseMs: null, beganAtMs: NOW_MS - 12, tookMs: 12.4, answer: null },
};
const delivery = (o: Partial<Delivery> = {}): Delivery =>
  ({ kind: 'event', attempt: 1, publishedAtMs: NOW_MS, ...o }) as Delivery;
const after = (o: Partial<Delivery>, f: Partial<Failure> = {}): ReturnType<typeof afterFailure> =>
  afterFailure(
    delivery(o),
    { ...failure, ...f },
    { settings: DEFAULT_RETRY, nowMs: NOW_MS, random: 0.5, refusedMs: 700 },
  );

describe('what failed', () => {
  it('comes again after a random part of what doubles, up to the longest', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 20].map((attempt) => pauseMs(DEFAULT_RETRY, attempt, 0.5)),
      [500, 1_000, 2_000, 4_000, 450_000],
    );
    assert.equal(pauseMs(DEFAULT_RETRY, 3, 0), 0);
    assert.equal(pauseMs(DEFAULT_RETRY, 5_000, 0.5), 450_000);
  });

  it('is dead with its last attempt, and comes again with all before', () => {
    const again = after({ attempt: 4 });
    assert.deepEqual(again, {
      ...{ as: 'again', dueAtMs: NOW_MS + 4_000, counts: true },
      attempt: { number: 4, beganAtMs: NOW_MS - 12, tookMs: 12, error: failure.error },
    });
    const dead = after({ attempt: 5 });
    assert.deepEqual([dead.as, dead.as === 'dead' && dead.forgetAtMs], ['dead', NOW_MS + DEAD_KEPT_MS]);
    // It was begun more often than it may be, by servers that ended meanwhile.
    assert.equal(after({ attempt: 9 }).as, 'dead');
  });

  it('comes no sooner than was asked for, and no later than in a day for that', () => {
    const due = (f: Partial<Failure>): number => (after({}, f) as { dueAtMs: number }).dueAtMs - NOW_MS;
    assert.equal(due({ notBeforeMs: 20_000 }), 20_000);
    assert.equal(due({ notBeforeMs: 100 }), 500);
    assert.equal(due({ notBeforeMs: Number.MAX_SAFE_INTEGER }), 86_400_000);
    assert.equal(due({ notBeforeMs: Number.NaN }), 500);
    assert.equal(due({ pauseMs: 90 }), 90);
  });

  it('keeps no message that a database could not', () => {
    const again = after({}, { error: { code: 'x', message: `a\0b\ud800${'c'.repeat(5_000)}` } });
    const { message } = (again as { attempt: { error: { message: string } } }).attempt.error;
    assert.deepEqual([message.slice(0, 4), message.length], ['ab\ufffdc', 2_000]);
  });
});

describe('what was refused', () => {
  it('is no attempt, for as long as it takes where it is an event, and for six hours else', () => {
    const old = { publishedAtMs: NOW_MS - 6 * 3_600_000 };
    const again = { as: 'again', dueAtMs: NOW_MS + 700, counts: false, attempt: null };
    assert.deepEqual(after({ ...old, attempt: 99 }, { counts: false }), again);
    assert.deepEqual(after({ kind: 'call' }, { counts: false }), again);
    assert.equal(after({ ...old, kind: 'call' }, { counts: false }).as, 'dead');
    assert.equal(after({ ...old, kind: 'schedule' }, { counts: false }).as, 'dead');
  });

  it('leaves its component alone from half a second on, and for five minutes at most', () => {
    assert.deepEqual(
      [1, 2, 3, 40].map((n) => refusedPauseMs(n, 0)),
      [500, 1_000, 2_000, 150_000],
    );
    assert.equal(refusedPauseMs(5_000, 1), 300_000);
  });
});

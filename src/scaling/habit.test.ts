import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { Habit, type PastArrival } from './habit.ts';

const MIN = 60_000;

function habit(): { clock: FakeClock; habit: Habit; use: (idleMin: number) => Promise<void> } {
  const clock = new FakeClock();
  const habit = new Habit(clock);
  const use = async (idleMin: number): Promise<void> => {
    habit.began(null);
    habit.over();
    await clock.advance(idleMin * MIN);
  };
  return { clock, habit, use };
}

describe('a habit', () => {
  it('is idle from the end of the last invocation to the beginning of the next', async () => {
    const { clock, habit: it, use } = habit();
    assert.equal(it.idleSinceMs, null, 'nothing is known yet');
    for (let i = 0; i < 6; i++) await use(30);
    it.began(null);
    it.began(null);
    assert.equal(it.idleSinceMs, null);
    await clock.advance(90 * MIN);
    it.over();
    assert.equal(it.idleSinceMs, null, 'one is still at work');
    it.over();
    assert.equal(it.idleSinceMs, clock.monotonicMs());
    assert.deepEqual(
      it.verdict,
      { prewarmAfterMs: 27 * MIN, keepMs: 34.1 * MIN },
      'what it took is not idle time',
    );
  });

  it('takes an invocation that had to wait to have come when it came', async () => {
    const { clock, habit: it, use } = habit();
    for (let i = 0; i < 5; i++) await use(0.5);
    await clock.advance(30 * MIN);
    const arrivedMs = clock.monotonicMs();
    await clock.advance(2 * MIN);
    it.began(arrivedMs);
    it.over();
    assert.equal(it.verdict!.keepMs, 31 * 1.1 * MIN);
  });

  it('takes one that came while another was at work to have ended no idle time', async () => {
    const { clock, habit: it, use } = habit();
    for (let i = 0; i < 20; i++) {
      await use(30);
      it.began(null);
      const arrivedMs = clock.monotonicMs();
      await clock.advance(1);
      it.over();
      it.began(arrivedMs);
      it.over();
      await clock.advance(30 * MIN);
    }
    assert.equal(it.verdict!.prewarmAfterMs, 27 * MIN);
    assert.equal(it.verdict!.keepMs, 34.1 * MIN);
  });

  it('learns from the past, in which invocations overlap', async () => {
    const { clock, habit: it } = habit();
    await clock.advance(5 * MIN);
    const past: PastArrival[] = Array.from({ length: 30 }, (_, i) => ({
      arrivedAtMs: clock.nowMs() - (300 - 10 * i) * MIN,
      // Every second one is at work when the next comes.
      durationMs: i % 2 === 0 ? 15 * MIN : 1_000,
    }));
    it.recall(past);
    assert.deepEqual(it.verdict, { prewarmAfterMs: 4.5 * MIN, keepMs: Math.round(6 * 1.1 * MIN) });
    assert.equal(it.idleSinceMs, clock.monotonicMs() - 5 * MIN);
  });

  it('knows better than the past what it has seen itself', async () => {
    const { clock, habit: it, use } = habit();
    await use(1);
    const sinceMs = it.idleSinceMs;
    it.recall([{ arrivedAtMs: clock.nowMs() - 60 * MIN, durationMs: 5 }]);
    assert.equal(it.idleSinceMs, sinceMs);
    it.began(null);
    it.recall([{ arrivedAtMs: clock.nowMs() - 60 * MIN, durationMs: 5 }]);
    assert.equal(it.idleSinceMs, null);
  });

  it('takes what was at work when the server ended to be over', () => {
    const { clock, habit: it } = habit();
    it.recall([{ arrivedAtMs: clock.nowMs() - 1_000, durationMs: 60_000 }]);
    assert.equal(it.idleSinceMs, clock.monotonicMs());
  });
});

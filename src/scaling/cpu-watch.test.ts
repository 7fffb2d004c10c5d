import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { CpuWatch, watchedCpus } from './cpu-watch.ts';

/** Four processors that were at work for so much of each second. */
function machine(budgetCpus: number) {
  const clock = new FakeClock();
  let [busyMs, totalMs, reads] = [0, 0, 0];
  const watch = new CpuWatch(clock, budgetCpus, () => {
    reads++;
    return { busyMs, totalMs, processors: 4 };
  });
  return {
    watch,
    reads: () => reads,
    async second(busy: number, count = 1): Promise<boolean> {
      await clock.advance(count * 1_000);
      totalMs += count * 4_000;
      busyMs += count * 4_000 * busy;
      return watch.usedUp;
    },
  };
}

describe('the watch over processors', () => {
  it('knows nothing before it has looked twice, then tells of the last second', async () => {
    const { watch, second } = machine(4);
    assert.equal(watch.usedUp, false);
    assert.equal(await second(1), true);
    assert.equal(await second(0.5), false);
    assert.equal(await second(0.96), true);
  });

  it('measures against the budget, which may be a part of them', async () => {
    const { watch, second } = machine(2);
    assert.equal(watch.usedUp, false);
    assert.equal(await second(0.5), true);
    assert.equal(await second(0.4), false);
  });

  it('does not take an average over a long time for the present', async () => {
    const { watch, second } = machine(4);
    assert.equal(watch.usedUp, false);
    assert.equal(await second(1, 60), false);
    assert.equal(await second(1), true);
  });

  it('reads no more than once a second, however often it is asked', async () => {
    const { watch, second, reads } = machine(4);
    for (let i = 0; i < 100; i++) void watch.usedUp;
    assert.equal(reads(), 1);
    await second(1);
    assert.equal(reads(), 2);
  });

  it('reads this machine', () => {
    assert.equal(new CpuWatch(new FakeClock(), watchedCpus(1)).usedUp, false);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from './clock.ts';
import { FakeClock } from './fake-clock.ts';

test('runs timers at their own moments and in order', async () => {
  const clock = new FakeClock(1_000);
  const seen: [string, number, number][] = [];
  const note = (name: string) => (): void => void seen.push([name, clock.monotonicMs(), clock.nowMs()]);
  clock.after(30, note('c'));
  clock.after(10, note('a'));
  const every = clock.every(20, note('b'));
  await clock.advance(45);
  every.cancel();
  await clock.advance(100);
  assert.deepEqual(seen, [
    ['a', 10, 1_010],
    ['b', 20, 1_020],
    ['c', 30, 1_030],
    ['b', 40, 1_040],
  ]);
  assert.equal(clock.pending, 0);
});

test('a timer set by a timer runs within the same advance', async () => {
  const clock = new FakeClock();
  let hits = 0;
  clock.after(10, () => clock.after(10, () => void hits++));
  await clock.advance(20);
  assert.equal(hits, 1);
});

test('wall time can jump without moving monotonic time', async () => {
  const clock = new FakeClock(0);
  clock.setWallMs(5_000);
  await clock.advance(10);
  assert.deepEqual([clock.nowMs(), clock.monotonicMs()], [5_010, 10]);
});

test('a sleep ends by time, or by its signal and then leaves no timer', async () => {
  const clock = new FakeClock();
  const done = sleep(clock, 50);
  await clock.advance(50);
  await done;

  const controller = new AbortController();
  const aborted = sleep(clock, 50, controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(aborted, /enough/);
  assert.equal(clock.pending, 0);
});

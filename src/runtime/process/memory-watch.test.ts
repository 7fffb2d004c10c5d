import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../base/fake-clock.ts';
import { MemoryWatch } from './memory-watch.ts';
import { sumPs } from './process-usage.ts';

test('one that is over its limit is reported, once, and the exact figure is read only where the bound is over', async () => {
  const clock = new FakeClock();
  const held = new Map([
    [1, 10],
    [2, 30],
  ]);
  const exact: number[] = [];
  const watch = new MemoryWatch(clock, {
    bound: (pid) => held.get(pid)! + 5,
    exact: (pid) => {
      exact.push(pid);
      return Promise.resolve(held.get(pid)!);
    },
  });
  const told: string[] = [];
  watch.watch({ pid: 1, memoryBytes: 20, exceeded: (bytes) => told.push(`1: ${bytes}`) });
  watch.watch({ pid: 2, memoryBytes: 32, exceeded: (bytes) => told.push(`2: ${bytes}`) });
  await clock.advance(1_000);
  assert.deepEqual(told, []);
  assert.ok(exact.length > 0 && exact.every((pid) => pid === 2));
  held.set(1, 21);
  await clock.advance(1_000);
  assert.deepEqual(told, ['1: 21']);
  watch.close();
  assert.equal(clock.pending, 0);
});

test('the timer stands still while nothing is watched', async () => {
  const clock = new FakeClock();
  const watch = new MemoryWatch(clock, { bound: () => null, exact: () => Promise.resolve(null) });
  const forget = watch.watch({ pid: 1, memoryBytes: 1, exceeded: () => assert.fail('nothing was exceeded') });
  assert.equal(clock.pending, 1);
  await clock.advance(500);
  forget();
  assert.equal(clock.pending, 0);
});

test('the lines of ps that belong to a group are added up', () => {
  const stdout = '    1     10   0:01.00\n  77   1000   0:01.50\n  77  24   1-02:03:04\n 777 5 0:00.01\n';
  assert.deepEqual(sumPs(stdout, 77), { memoryBytes: 1024 * 1024, cpuMs: 93_784_000 + 1_500 });
  assert.equal(sumPs(stdout, 7), null);
});

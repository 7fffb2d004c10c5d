import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventHeap } from './event-heap.ts';
import { Histogram } from './histogram.ts';
import { IdleList } from './idle-list.ts';
import { NewestFree } from './newest-free.ts';
import { WaitQueue } from './wait-queue.ts';

test('events come in the order of their times, however they are pushed and popped', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(1_000), { freq: 3 }), { maxLength: 400 }), (steps) => {
      const heap = new EventHeap();
      let held: number[] = [];
      for (const atMs of steps) {
        if (atMs !== null) {
          heap.push(atMs, atMs);
          held.push(atMs);
        } else if (held.length > 0) {
          const least = Math.min(...held);
          assert.equal(heap.topMs, least);
          assert.equal(heap.pop(), least);
          held = held.toSpliced(held.indexOf(least), 1);
        }
        assert.equal(heap.topMs, held.length === 0 ? Infinity : Math.min(...held));
      }
    }),
  );
});

test('the newest instance that has room is found, whoever has come and gone before', () => {
  const step = fc.constantFrom('start', 'start', 'free', 'fill', 'remove' as const);
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat()), { minLength: 1_500, maxLength: 3_000 }), (steps) => {
      const pool = new NewestFree();
      const order: number[] = [];
      const free = new Set<number>();
      const spare: number[] = [];
      let slots = 0;
      for (const [what, which] of steps) {
        const slot = order[which % order.length];
        if (what === 'start') {
          const started = spare.pop() ?? slots++;
          pool.add(started);
          order.push(started);
        } else if (slot !== undefined && what === 'remove') {
          pool.remove(slot);
          order.splice(order.indexOf(slot), 1);
          free.delete(slot);
          spare.push(slot);
        } else if (slot !== undefined && what === 'free') {
          pool.free(slot);
          free.add(slot);
        } else if (slot !== undefined) {
          pool.fill(slot);
          free.delete(slot);
        }
        assert.equal(pool.newest(), order.findLast((one) => free.has(one)) ?? -1);
      }
    }),
    { numRuns: 20 },
  );
});

test('who waits is taken first come, first served; who is idle longest is the oldest', () => {
  const queue = new WaitQueue();
  const idle = new IdleList();
  for (let i = 0; i < 200; i++) {
    queue.add(i);
    idle.add(i, i * 10);
    if (i % 3 === 0) assert.equal(queue.take(), i / 3);
  }
  for (const gone of [0, 5, 199, 1]) idle.remove(gone);
  assert.deepEqual([idle.oldest, idle.oldestMs], [2, 20]);
  idle.add(0, 3_000);
  for (let i = 2; i < 199; i++) if (i !== 5) idle.remove(i);
  assert.deepEqual([idle.oldest, idle.oldestMs], [0, 3_000]);
  idle.remove(0);
  assert.deepEqual([idle.oldest, idle.oldestMs], [-1, Infinity]);
});

test('quantiles of a histogram are right to within 0.4 %', () => {
  fc.assert(
    fc.property(
      fc.array(fc.float({ min: 2 ** -7, max: 2 ** 20, noNaN: true }), { minLength: 1, maxLength: 300 }),
      (values) => {
        const histogram = new Histogram();
        for (const value of values) histogram.add(value);
        const sorted = values.toSorted((a, b) => a - b);
        const found = histogram.quantiles(100, sorted[0]!, sorted.at(-1)!);
        for (const [percent, value] of found.entries()) {
          const exact = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!;
          assert.ok(Math.abs(value / exact - 1) <= 0.004, `${percent} %: ${value} instead of ${exact}`);
        }
      },
    ),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FulcrumError } from '../base/errors.ts';
import { DURATION_ERROR, OpenBlock, readArrivals } from './arrival-block.ts';

const arrival = fc.record({
  arrivedAtMs: fc.integer({ min: 0, max: 8.64e15 / 2 }),
  durationMs: fc.double({ min: 0.001, minExcluded: true, max: 1e9, noNaN: true }),
  cold: fc.boolean(),
  refused: fc.boolean(),
});

test('arrivals are read back in order: moments and flags exactly, durations within the stated error', () => {
  fc.assert(
    fc.property(fc.array(arrival, { minLength: 1, maxLength: 50 }), (list) => {
      const block = new OpenBlock('p', 'catalog', 'function');
      for (const a of list) block.add(a.arrivedAtMs, a.durationMs, a.cold, a.refused);
      const stored = block.snapshot();
      const read = readArrivals(stored);
      assert.equal(read.length, list.length);
      for (const [i, a] of list.entries()) {
        const { durationMs, ...rest } = read[i]!;
        assert.deepEqual(rest, {
          arrivedAtMs: a.arrivedAtMs,
          cold: a.cold,
          refused: a.refused,
          mode: 'function',
        });
        assert.ok(Math.abs(durationMs - a.durationMs) <= a.durationMs * DURATION_ERROR * (1 + 1e-9));
      }
      assert.equal(stored.count, list.length);
      assert.equal(stored.firstMs, Math.min(...list.map((a) => a.arrivedAtMs)));
      assert.equal(stored.lastMs, Math.max(...list.map((a) => a.arrivedAtMs)));
    }),
  );
});

test('a snapshot stays as it was while the block grows', () => {
  const block = new OpenBlock('p', 'catalog', 'service');
  block.add(1_000, 5, false, false);
  const early = block.snapshot();
  for (let i = 0; i < 500; i++) block.add(1_000 + i, 5, false, false);
  assert.equal(readArrivals(early).length, 1);
  assert.equal(readArrivals(block.snapshot()).length, 501);
});

test('at 100 requests a second an arrival takes three bytes, at one a second four', () => {
  for (const [everyMs, most] of [
    [10, 3],
    [1_000, 4],
  ] as const) {
    const block = new OpenBlock('p', 'catalog', 'function');
    for (let i = 0; i < 1_000; i++) block.add(1.8e12 + i * everyMs, 1 + (i % 300), false, false);
    assert.ok(block.sizeBytes <= 1_000 * most + 10, `${block.sizeBytes} bytes`);
  }
});

test('damaged blocks are refused and never crash', () => {
  const read = (bytes: Uint8Array): unknown =>
    readArrivals({
      part: 'p',
      component: 'catalog',
      mode: 'function',
      firstMs: 0,
      lastMs: 0,
      count: 1,
      bytes,
    });
  assert.throws(
    () => read(Uint8Array.from([1, 200])),
    (error) =>
      error instanceof FulcrumError && error.code === 'store-failed' && error.message.includes('catalog'),
  );
  assert.throws(() => read(Uint8Array.from([7])), FulcrumError);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        read(bytes);
      } catch (error) {
        assert.ok(error instanceof FulcrumError);
      }
    }),
  );
});

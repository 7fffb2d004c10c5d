import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FulcrumError } from '../base/errors.ts';
import { bucketOf, RELATIVE_ERROR, Sketch } from './sketch.ts';

const values = fc.array(fc.double({ min: 0.001, minExcluded: true, max: 1e10, noNaN: true }), {
  minLength: 1,
  maxLength: 300,
});
const QUANTILES = [0, 0.01, 0.25, 0.5, 0.9, 0.99, 1];

test('every quantile is within the stated error of the exact one', () => {
  fc.assert(
    fc.property(values, (list) => {
      const sketch = sketchOf(list);
      const sorted = Float64Array.from(list).sort();
      for (const q of QUANTILES) {
        const exact = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
        const told = sketch.quantile(q)!;
        assert.ok(
          Math.abs(told - exact) <= exact * RELATIVE_ERROR * (1 + 1e-9),
          `q ${q}: ${told} for ${exact}`,
        );
      }
    }),
  );
});

test('merging sketches gives exactly the sketch of all values', () => {
  fc.assert(
    fc.property(fc.array(values, { maxLength: 6 }), (lists) => {
      const merged = new Sketch();
      for (const list of lists) merged.merge(Sketch.decode(sketchOf(list).encode()));
      const whole = sketchOf(lists.flat());
      assert.deepEqual(merged.encode(), whole.encode());
      assert.equal(merged.count, whole.count);
    }),
  );
});

test('what is encoded is read back as it was', () => {
  fc.assert(
    fc.property(values, (list) => {
      const bytes = sketchOf(list).encode();
      assert.deepEqual(Sketch.decode(bytes).encode(), bytes);
    }),
  );
});

test('a minute of latencies over two orders of magnitude takes under 700 bytes', () => {
  const sketch = new Sketch();
  for (let i = 0; i < 60_000; i++) sketch.add(1 + 99 * ((i * 0.618034) % 1));
  assert.ok(sketch.encode().length < 700, `${sketch.encode().length} bytes`);
});

test('values that are no times are counted at the ends of the range, and none is lost', () => {
  const sketch = sketchOf([NaN, -5, 0, 1e-9, Infinity, 1e300]);
  assert.equal(sketch.count, 6);
  assert.equal(sketch.quantile(0.5), 0);
  assert.ok(Math.abs(sketch.quantile(1)! - 1e10) <= 1e8);
  assert.equal(bucketOf(Infinity), bucketOf(1e10));
});

test('without values there are no quantiles, and clearing goes back to that', () => {
  const sketch = sketchOf([1, 2, 3]);
  sketch.clear();
  assert.equal(sketch.quantile(0.5), null);
  sketch.add(100);
  assert.ok(sketch.quantile(0)! > 99);
  assert.equal(new Sketch().quantile(0.99), null);
  assert.equal(Sketch.decode(new Sketch().encode()).count, 0);
});

test('damaged bytes are refused and never crash', () => {
  const refused = (bytes: number[]): void =>
    assert.throws(
      () => Sketch.decode(Uint8Array.from(bytes)),
      (error) => error instanceof FulcrumError && error.code === 'store-failed',
    );
  refused([]);
  refused([9, 1, 1]);
  refused([1, 5]);
  refused([1, 255, 255, 255, 255, 15, 1]);
  refused([1, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        Sketch.decode(bytes);
      } catch (error) {
        assert.ok(error instanceof FulcrumError);
      }
    }),
  );
});

function sketchOf(list: readonly number[]): Sketch {
  const sketch = new Sketch();
  for (const value of list) sketch.add(value);
  return sketch;
}

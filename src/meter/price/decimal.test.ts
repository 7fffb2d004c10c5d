import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decimal, least, minus, plus, times, toCents, toNumber } from './decimal.ts';

test('rounds half a cent up where a double has lost it', () => {
  assert.equal(toCents(decimal(1.005)), 1.01);
  assert.equal(toCents(decimal(2.675)), 2.68);
  assert.equal(toCents(decimal(-1.005)), -1.01);
  assert.equal(toCents(decimal(1.00499999)), 1);
  assert.equal(toCents(decimal(12)), 12);
});

test('reads what JavaScript writes in any form', () => {
  assert.deepEqual(decimal(1.66667e-5), { digits: 166667n, scale: 10 });
  assert.deepEqual(decimal(7e-8), { digits: 7n, scale: 8 });
  assert.deepEqual(decimal(1.5e21), { digits: 1_500_000_000_000_000_000_000n, scale: 0 });
  assert.throws(() => decimal(Number.NaN), RangeError);
  assert.throws(() => decimal(Infinity), RangeError);
});

test('is exact: sums and products of decimals are theirs', () => {
  assert.equal(toNumber(plus(decimal(0.1), decimal(0.2))), 0.3);
  assert.equal(toNumber(times(decimal(0.1), decimal(3))), 0.3);
  const any = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 });
  fc.assert(
    fc.property(any, any, (a, b) => {
      assert.equal(toNumber(decimal(a)), a === 0 ? 0 : a);
      const back = minus(plus(decimal(a), decimal(b)), decimal(b));
      assert.equal(toNumber(back), a === 0 ? 0 : a);
      assert.equal(toNumber(least(decimal(a), decimal(b))), Math.min(a, b) === 0 ? 0 : Math.min(a, b));
    }),
    { seed: 9 },
  );
});

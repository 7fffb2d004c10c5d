import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Tier } from '../../model/price-book.ts';
import { decimal, plus, toCents, toNumber, ZERO } from './decimal.ts';
import { tiered } from './tiers.ts';

const LAMBDA: readonly Tier[] = [
  { upTo: 6e9, price: 0.0000166667 },
  { upTo: 15e9, price: 0.000015 },
  { upTo: null, price: 0.0000133334 },
];

function amountOf(quantity: number, tiers: readonly Tier[], free = 0, months = 1): number {
  return toCents(
    tiered(decimal(quantity), decimal(free), tiers, months)
      .parts.map((part) => part.amount)
      .reduce(plus, ZERO),
  );
}

test('a border belongs to the tier below it, and is right to the cent on both sides', () => {
  const at = (quantity: number): readonly [number, number][] =>
    tiered(decimal(quantity), ZERO, LAMBDA, 1).parts.map((part) => [
      toNumber(part.quantity),
      toCents(part.amount),
    ]);
  assert.deepEqual(at(6e9), [[6e9, 100_000.2]]);
  assert.deepEqual(at(6e9 + 1000), [
    [6e9, 100_000.2],
    // 1000 × 0.000015 = 0.015, half a cent up.
    [1000, 0.02],
  ]);
  assert.deepEqual(at(6e9 - 1000), [[6e9 - 1000, 100_000.18]]);
  assert.deepEqual(at(15e9), [
    [6e9, 100_000.2],
    [9e9, 135_000],
  ]);
  assert.deepEqual(at(15e9 + 1000), [
    [6e9, 100_000.2],
    [9e9, 135_000],
    [1000, 0.01],
  ]);
  assert.deepEqual(at(0), []);
});

test('what is free is taken off first, and never more than there is', () => {
  assert.equal(amountOf(6e9, LAMBDA, 400_000), 99_993.53);
  const all = tiered(decimal(300), decimal(400), LAMBDA, 1);
  assert.equal(toNumber(all.free), 300);
  assert.deepEqual(all.parts, []);
});

test('borders are a month’s', () => {
  const two: readonly Tier[] = [
    { upTo: 10, price: 1 },
    { upTo: null, price: 0.5 },
  ];
  assert.equal(amountOf(20, two), 15);
  assert.equal(amountOf(20, two, 0, 2), 20);
  assert.equal(amountOf(20, two, 0, 0.5), 12.5);
});

test('more never costs less, nor jumps at a border', () => {
  const tiers = fc
    .array(fc.record({ size: fc.integer({ min: 1, max: 1e6 }), price: fc.integer({ min: 0, max: 1e6 }) }), {
      minLength: 1,
      maxLength: 5,
    })
    .map((list) => {
      let upTo = 0;
      return list.map((each, i): Tier => {
        upTo += each.size;
        return { upTo: i === list.length - 1 ? null : upTo, price: each.price / 1e7 };
      });
    });
  const quantity = fc.integer({ min: 0, max: 6e6 });
  fc.assert(
    fc.property(tiers, quantity, quantity, quantity, (tiers, some, more, free) => {
      const less = amountOf(some, tiers, free);
      const all = amountOf(some + more, tiers, free);
      const dearest = Math.max(...tiers.map((tier) => tier.price));
      assert.ok(all >= less);
      assert.ok(all - less <= more * dearest + 0.01 + 1e-9);
    }),
    { seed: 9 },
  );
});

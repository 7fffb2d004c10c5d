import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quoteFor } from './quote.ts';

const PRICES: Readonly<Record<string, number>> = { A: 1_000, B: 333 };
const costs = (lines: Readonly<Record<string, number>>): readonly number[] => {
  const quote = quoteFor(
    Object.entries(lines).map(([sku, quantity]) => ({ sku, quantity })),
    (sku) => PRICES[sku]!,
  );
  return [quote.goodsCents, quote.discountCents, quote.shippingCents, quote.totalCents];
};

test('ten of a product cost less, twenty less still, and a large basket is sent for nothing', () => {
  assert.deepEqual(costs({}), [0, 0, 0, 0]);
  assert.deepEqual(costs({ A: 1, B: 2 }), [1_666, 0, 495, 2_161]);
  assert.deepEqual(costs({ A: 3 }), [3_000, 0, 0, 3_000]);
  // By product: nine of each are eighteen things and no ten.
  assert.deepEqual(costs({ A: 9, B: 9 }), [11_997, 0, 0, 11_997]);
  assert.deepEqual(costs({ B: 10 }), [3_330, 166, 0, 3_164]);
  assert.deepEqual(costs({ A: 20, B: 9 }), [22_997, 2_000, 0, 20_997]);
});

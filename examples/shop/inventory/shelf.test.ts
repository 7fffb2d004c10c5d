import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderWith } from '../testing/orders.ts';
import { Shelf } from './shelf.ts';

const shelf = (): Shelf =>
  new Shelf(
    [
      { sku: 'A', stock: 3 },
      { sku: 'B', stock: 5 },
    ],
    ':memory:',
  );
const left = (counted: Shelf): unknown => Object.values(counted.left(['A', 'B']));

test('goods are put aside once, all of them or none', () => {
  const counted = shelf();
  for (let times = 0; times < 2; times++)
    assert.deepEqual(counted.reserve(orderWith(1, { A: 2, B: 1 })), { held: true });
  assert.deepEqual(left(counted), [1, 4]);
  assert.deepEqual(counted.reserve(orderWith(2, { B: 4, A: 2 })), { held: false, sku: 'A', left: 1 });
  assert.deepEqual(counted.reserve(orderWith(2, { B: 4, Z: 1 })), { held: false, sku: 'Z', left: 0 });
  assert.deepEqual(left(counted), [1, 4]);
});

test('what is released goes back once; what comes after that is put aside no more', () => {
  const counted = shelf();
  counted.reserve(orderWith(1, { A: 2 }));
  for (let times = 0; times < 2; times++) counted.release(orderWith(1, {}).id);
  assert.deepEqual(left(counted), [3, 5]);
  assert.deepEqual(counted.reserve(orderWith(1, { A: 2 })), { held: false, sku: null });
  // The release was quicker than what it takes back.
  counted.release(orderWith(2, {}).id);
  assert.deepEqual(counted.reserve(orderWith(2, { A: 2 })), { held: false, sku: null });
  assert.deepEqual(left(counted), [3, 5]);
});

test('what is sold is gone, whether or not it was put aside, and stays so', () => {
  const counted = shelf();
  const order = orderWith(1, { A: 2 });
  counted.reserve(order);
  for (let times = 0; times < 2; times++) counted.sell(order);
  counted.release(order.id);
  assert.deepEqual(counted.reserve(order), { held: true });
  assert.deepEqual(left(counted), [1, 5]);
  for (let times = 0; times < 2; times++) counted.sell(orderWith(2, { A: 2, B: 1 }));
  assert.deepEqual(left(counted), [0, 4]);
  assert.deepEqual(counted.wanted(['A']), [{ sku: 'A', quantity: 21, number: 1 }]);
});

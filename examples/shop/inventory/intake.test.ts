import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventsHere, message } from '../testing/events.ts';
import { orderWith } from '../testing/orders.ts';
import { takeIn } from './intake.ts';
import { Shelf, type Delivery } from './shelf.ts';

const shelf = (): Shelf =>
  new Shelf(
    [
      { sku: 'KA-01', stock: 3 },
      { sku: 'KA-02', stock: 5 },
    ],
    ':memory:',
  );

test('an order takes its goods off the shelf, once, however often it comes', async () => {
  const [counted, events] = [shelf(), new EventsHere()];
  const paid = message('order.paid', orderWith(1, { 'KA-01': 1, 'KA-02': 2, 'ZZ-99': 1 }));
  for (let times = 0; times < 3; times++) await takeIn(paid, counted, events);
  assert.deepEqual(counted.left(['KA-01', 'KA-02', 'ZZ-99']), { 'KA-01': 2, 'KA-02': 3 });
  assert.deepEqual(events.published, []);
});

test('what is sold out is ordered, once, and comes in, once', async () => {
  const [counted, events] = [shelf(), new EventsHere()];
  const paid = message('order.paid', orderWith(1, { 'KA-01': 4 }));
  events.failure = new Error('not now');
  await assert.rejects(takeIn(paid, counted, events), /not now/);
  events.failure = null;
  // It comes again: the goods have been taken, the order has not been placed.
  await takeIn(paid, counted, events);
  await takeIn(message('order.paid', orderWith(2, { 'KA-01': 1 })), counted, events);
  assert.deepEqual(counted.left(['KA-01']), { 'KA-01': 0 });
  const [ordered, ...more] = events.published;
  assert.deepEqual(more, []);
  assert.deepEqual(ordered, {
    type: 'stock.arrived',
    data: { sku: 'KA-01', quantity: 21, number: 1 },
    options: { key: 'KA-01', dedupe: 'KA-01/1', delay: '2m' },
  });

  for (let times = 0; times < 2; times++)
    await takeIn(message('stock.arrived', ordered.data), counted, events);
  assert.deepEqual(counted.left(['KA-01']), { 'KA-01': 19 });
  assert.deepEqual(counted.wanted(['KA-01']), []);
  counted.sell(orderWith(3, { 'KA-01': 19 }));
  assert.deepEqual(counted.wanted(['KA-01', 'KA-01']), [{ sku: 'KA-01', quantity: 20, number: 2 }]);
});

test('what is no order is refused before anything is taken, and a delivery that nobody knows changes nothing', async () => {
  const [counted, events] = [shelf(), new EventsHere()];
  await assert.rejects(takeIn(message('order.paid', { id: '../x', lines: [] }), counted, events), TypeError);
  const stray: Delivery = { sku: 'KA-01', quantity: 20, number: 7 };
  assert.equal(counted.putBack(stray), false);
  assert.deepEqual(counted.left(['KA-01']), { 'KA-01': 3 });
});

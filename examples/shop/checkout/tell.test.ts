import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Orders } from '../shared/orders.ts';
import { EventsHere } from '../testing/events.ts';
import { keep, orderWith } from '../testing/orders.ts';
import { tell, tellWhatIsLeft } from './tell.ts';

test('an order that could not be told of is told of later, once', async () => {
  const [orders, events] = [new Orders(':memory:'), new EventsHere()];
  const order = orderWith(1, { 'KA-01': 1 });
  keep(orders, order);
  events.failure = new Error('the disk is full');
  await assert.rejects(tell(order, orders, events), /full/);
  assert.deepEqual(orders.lookUp(order.id), order);
  events.failure = null;
  // Its own request may be about to do so still.
  assert.equal(await tellWhatIsLeft(orders, events, order.atMs + 5_000), 0);
  assert.equal(await tellWhatIsLeft(orders, events, order.atMs + 10_000), 1);
  assert.equal(await tellWhatIsLeft(orders, events, order.atMs + 70_000), 0);
  assert.deepEqual(events.published, [
    { type: 'order.paid', data: order, options: { key: order.id, dedupe: order.id } },
  ]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventOrder } from '../model/event.ts';
import { testEvents } from './test-events.ts';

test('events of a test are published from outside, by the rules of a component', async () => {
  const orders: EventOrder[] = [];
  const events = testEvents({
    publish: async (from, given) => {
      assert.equal(from, null);
      orders.push(...given);
      return [{ id: 'e_1', duplicate: false }];
    },
  });
  assert.deepEqual(await events.publish('order.paid', { order: 'o-1' }, { key: 'o-1' }), {
    id: 'e_1',
    duplicate: false,
  });
  assert.deepEqual(orders, [
    {
      type: 'order.paid',
      data: Buffer.from('{"order":"o-1"}'),
      contentType: 'application/json',
      key: 'o-1',
      delayMs: 0,
      dedupe: null,
      subject: null,
      id: null,
      source: null,
      timeMs: null,
      extensions: {},
    },
  ]);
  await assert.rejects(events.publish('order paid'), { code: 'event-invalid' });
});

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { events } from './events.ts';
import { type InstanceHost, setInstanceHost } from './host.ts';

const HOST: InstanceHost = { version: 1, component: 'shop', call: () => Promise.resolve() };

describe('events', () => {
  afterEach(() => setInstanceHost(null));

  it('go to whoever runs the component, also through a method that was taken off', async () => {
    const published: unknown[] = [];
    setInstanceHost({
      ...HOST,
      publish: async (...event) => {
        published.push(event);
        return { id: 'e_1', duplicate: false };
      },
    });
    const { publish } = events;
    assert.deepEqual(await publish('order.paid', { a: 1 }, { key: 'k' }), { id: 'e_1', duplicate: false });
    assert.deepEqual(published, [['order.paid', { a: 1 }, { key: 'k' }]]);
  });

  it('say clearly where there is nobody who keeps them', async () => {
    const outside = { code: 'outside-fulcrum', message: /order\.paid was published outside Fulcrum/ };
    await assert.rejects(events.publish('order.paid'), outside);
    setInstanceHost(HOST);
    await assert.rejects(events.publish('order.paid'), {
      code: 'outside-fulcrum',
      message: /older than events/,
    });
  });
});

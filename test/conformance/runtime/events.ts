import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FulcrumError } from '../../../src/base/errors.ts';
import type { EventOrder, Published, Publisher } from '../../../src/model/event.ts';
import { ask, Bench, call, json, TestInvocation, TRACEPARENT, valueOf, type CreateRuntime } from './bench.ts';

const MB = 1024 ** 2;

/** Keeps what is published, and answers as it is told to. */
class Recorder implements Publisher {
  readonly events: { readonly from: string | null; readonly order: EventOrder }[] = [];
  answer: (order: EventOrder) => Promise<Published> = async () => ({
    id: `e_${this.events.length}`,
    duplicate: false,
  });
  #waiting: (() => void)[] = [];

  async publish(from: string | null, orders: readonly EventOrder[]): Promise<readonly Published[]> {
    assert.equal(orders.length, 1);
    this.events.push({ from, order: orders[0]! });
    for (const look of this.#waiting) look();
    return [await this.answer(orders[0]!)];
  }

  /** The first of this type. */
  async until(type: string): Promise<EventOrder> {
    for (;;) {
      const found = this.events.find(({ order }) => order.type === type);
      if (found !== undefined) return found.order;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

function dataOf(order: EventOrder): unknown {
  return JSON.parse(Buffer.from(order.data).toString('utf8'));
}

/** Events that a component publishes. */
export function eventConformance(create: CreateRuntime): void {
  describe('events', () => {
    test('are published from every handler and function, and its answer is what became of them', async (t) => {
      const publisher = new Recorder();
      const bench = await Bench.open(t, create, { publisher });
      const instance = await bench.start('events', {}, { CURRENCY: 'EUR' });
      const answer = (await ask(instance, '/orders').json()) as Record<string, unknown>;
      assert.deepEqual(answer['published'], { id: 'e_1', duplicate: false });
      const [first] = publisher.events;
      assert.equal(first!.from, 'shop');
      assert.deepEqual(
        { ...first!.order, data: dataOf(first!.order) },
        {
          type: 'fetched',
          data: { path: '/orders' },
          contentType: 'application/json',
          key: 'k-1',
          delayMs: 60_000,
          dedupe: 'd-1',
          id: null,
          source: null,
          subject: 's-1',
          timeMs: null,
          extensions: { traceparent: TRACEPARENT },
        },
      );
      // What is no variable is seen by nobody who looks at the variables.
      const variables = { CURRENCY: 'EUR' };
      assert.deepEqual(answer['env'], [['CURRENCY'], variables, JSON.stringify(variables), true, true]);
      assert.deepEqual(answer['process'], [null, null]);
      assert.equal(publisher.events[1]!.order.type, 'fetched.later');

      publisher.answer = async () => ({ id: 'e_first', duplicate: true });
      const called = await call(instance, 'publish', json(['called', ['x'], { dedupe: 'd' }]));
      assert.deepEqual(valueOf(called), { id: 'e_first', duplicate: true });
      const tick = { cron: '@every 1s', name: 'schedule', attempt: 2, scheduledTime: 5 };
      const { context } = new TestInvocation();
      await instance.invoke({ kind: 'scheduled', event: json(tick) }, context);
      assert.deepEqual(dataOf(await publisher.until('ticked')), tick);
      await instance.invoke({ kind: 'queue', batch: json({ messages: [] }) }, context);
      assert.deepEqual(dataOf(await publisher.until('taken')), { messages: [] });
    });

    test('are published while the module is loaded, as its instance starts, and at once when it has', async (t) => {
      const publisher = new Recorder();
      const bench = await Bench.open(t, create, { publisher });
      const instance = await bench.start('events', {}, { AT_TOP_LEVEL: 'yes', AT_START: 'yes' });
      const [now, loaded] = await Promise.all([
        call(instance, 'publish', json(['now'])),
        call(instance, 'atTopLevel', json([])),
      ]);
      assert.deepEqual(valueOf(loaded), { id: 'e_1', duplicate: false });
      assert.deepEqual(valueOf(now), { id: 'e_3', duplicate: false });
      assert.deepEqual(
        publisher.events.map(({ order }) => order.type),
        ['module.loaded', 'instance.started', 'now'],
      );
      const other = await bench.start('events', { revision: instance.revision });
      assert.equal((await call(other, 'publish', json(['of another']))).outcome, 'ok');
    });

    test('are published when their invocation is over, and while the instance drains and is stopped', async (t) => {
      const publisher = new Recorder();
      const bench = await Bench.open(t, create, { publisher });
      const instance = await bench.start('events', { mode: 'service' });
      assert.equal((await call(instance, 'afterwards', json([]))).outcome, 'ok');
      await publisher.until('afterwards');
      const held = call(instance, 'holds', json([]));
      await bench.log.until(/^holds$/);
      instance.drain();
      const released = call(instance, 'release', json([]));
      const stopped = instance.stop(30_000, 'told by the test');
      assert.deepEqual(valueOf(await held), { id: 'e_2', duplicate: false });
      await Promise.all([released, stopped]);
      assert.equal((await publisher.until('held.back')).type, 'held.back');
    });

    test('that are not valid never leave; what the publisher says of others is thrown', async (t) => {
      const publisher = new Recorder();
      const bench = await Bench.open(t, create, { publisher });
      const instance = await bench.start('events');
      const publish = async (...event: unknown[]): Promise<unknown> =>
        (valueOf(await call(instance, 'publish', json(event))) as { failed: unknown }).failed;
      assert.deepEqual(await publish('order paid'), [
        'FulcrumError',
        'event-invalid',
        'An event cannot be published: its type is "order paid"; 1 to 100 letters, digits and . _ : / - between them are right, such as \'order.paid\'.',
        null,
      ]);
      assert.deepEqual(valueOf(await call(instance, 'publishBytes', json([MB + 1]))), {
        failed: [
          'FulcrumError',
          'event-invalid',
          'The event bytes cannot be published: its data takes more than 1 MB. Keep it elsewhere, and publish where.',
          null,
        ],
      });
      assert.equal(publisher.events.length, 0);
      publisher.answer = () =>
        Promise.reject(new FulcrumError('store-failed', 'The disk is full.', { retryAfterS: 3 }));
      assert.deepEqual(await publish('a'), ['FulcrumError', 'store-failed', 'The disk is full.', 3]);
      publisher.answer = () => Promise.reject(new Error('broken'));
      assert.deepEqual(await publish('a'), ['FulcrumError', 'internal', 'broken', null]);
      publisher.answer = async () => ({ id: 'e_ok', duplicate: false });
      assert.deepEqual(valueOf(await call(instance, 'publishBytes', json([MB]))), {
        id: 'e_ok',
        duplicate: false,
      });
      const { order } = publisher.events.at(-1)!;
      assert.deepEqual(
        [order.contentType, order.data.length, order.data.every((byte) => byte === 7)],
        ['image/png', MB, true],
      );
    });

    test('may be published by thousands and by megabytes, of which so many at a time are under way', async (t) => {
      const publisher = new Recorder();
      const bench = await Bench.open(t, create, { publisher });
      const instance = await bench.start('events');
      let [bytes, count, mostBytes, mostCount] = [0, 0, 0, 0];
      publisher.answer = async ({ data }) => {
        mostBytes = Math.max(mostBytes, (bytes += data.length));
        mostCount = Math.max(mostCount, ++count);
        await new Promise((resolve) => setImmediate(resolve));
        bytes -= data.length;
        count--;
        return { id: 'e', duplicate: false };
      };
      assert.equal(valueOf(await call(instance, 'publishMany', json([1_000, 10]))), 1_000);
      assert.equal(valueOf(await call(instance, 'publishMany', json([50, MB - 2]))), 50);
      assert.equal(publisher.events.length, 1_050);
      assert.ok(mostCount <= 256 && mostBytes <= 32 * MB, `${mostCount} with ${mostBytes} bytes`);
    });
  });
}

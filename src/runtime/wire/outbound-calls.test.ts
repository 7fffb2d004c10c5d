import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import type { EventOrder, Publisher } from '../../model/event.ts';
import type { InstanceHome } from '../../model/instance.ts';
import { readCall } from './call-frame.ts';
import type { WireConnection } from './connection.ts';
import { FRAME } from './frames.ts';
import { readJson, type EventHead } from './messages.ts';
import { OutboundCalls } from './outbound-calls.ts';
import { connectionOver, handle, socketPair } from './testing/pair.ts';

const MB = 1024 ** 2;
const EVENT: EventHead = {
  type: 'a',
  contentType: 'application/octet-stream',
  key: null,
  delayMs: 0,
  dedupe: null,
  subject: null,
};

/** An instance that keeps to no bounds of its own, and the server that takes its events. */
async function instance(t: TestContext, publisher: Publisher): Promise<WireConnection> {
  const [near, far] = await socketPair(t);
  const server: WireConnection = connectionOver(near, 'server', {
    opened: (stream, _type, flags, payload) => calls.opened(stream, readCall(flags, payload)),
  });
  const home = { publisher } as InstanceHome;
  const calls = new OutboundCalls('shop', server, home, systemClock);
  return connectionOver(far, 'instance');
}

/** What it is answered: what was published, or the code of why not. */
function publish(peer: WireConnection, data: Uint8Array): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const stream = peer.open();
  let text = '';
  handle(stream, {
    data: (chunk) => void (text += chunk.toString()),
    frame: (type, _flags, payload) => {
      peer.forget(stream);
      if (type === FRAME.DONE) resolve(JSON.parse(text));
      else resolve([readJson(payload)['code'], readJson(payload)['retryAfterS']]);
    },
    lost: reject,
  });
  peer.writer.json(FRAME.CALL, 0, stream.id, { kind: 'publish', encoding: 'json', event: EVENT });
  stream.write(data);
  stream.endBody();
  return promise;
}

test('an event of more than 1 MB is refused, whatever the instance thinks of that', async (t) => {
  const orders: EventOrder[] = [];
  const peer = await instance(t, {
    publish: async (_from, given) => {
      orders.push(...given);
      return [{ id: 'e_1', duplicate: false }];
    },
  });
  assert.deepEqual(await publish(peer, new Uint8Array(MB + 1)), ['event-invalid', null]);
  assert.equal(orders.length, 0);
  assert.deepEqual(await publish(peer, new Uint8Array(MB).fill(5)), { id: 'e_1', duplicate: false });
  assert.deepEqual([orders[0]!.data.length, orders[0]!.data.at(-1)], [MB, 5]);
  assert.deepEqual(await publish(peer, new Uint8Array(0)), { id: 'e_1', duplicate: false });
});

test('events that wait to be kept are held to 32 MB an instance, and what is kept makes room', async (t) => {
  const [full, kept] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let count = 0;
  const peer = await instance(t, {
    publish: async () => {
      if (++count === 32) full.resolve();
      await kept.promise;
      return [{ id: 'e_1', duplicate: false }];
    },
  });
  const data = new Uint8Array(MB);
  const held = Array.from({ length: 32 }, () => publish(peer, data));
  await full.promise;
  assert.deepEqual(await publish(peer, new Uint8Array(1)), ['overloaded', 1]);
  kept.resolve();
  for (const answer of await Promise.all(held)) assert.deepEqual(answer, { id: 'e_1', duplicate: false });
  assert.deepEqual(await publish(peer, data), { id: 'e_1', duplicate: false });
});

test('what is no event, or is asked for as no instance may, breaks the protocol', () => {
  const heads: object[] = [
    { kind: 'publish', encoding: 'json' },
    { kind: 'publish', encoding: 'json', event: 'a' },
    { kind: 'publish', encoding: 'json', event: { ...EVENT, type: 5 } },
    { kind: 'publish', encoding: 'json', event: { ...EVENT, key: { toString: 'x' } } },
    { kind: 'publish', encoding: 'json', event: { ...EVENT, key: 'k'.repeat(100_000) } },
    { kind: 'publish', encoding: 'json', event: { ...EVENT, subject: undefined } },
    { kind: 'publish', encoding: 'json', event: { ...EVENT, delayMs: -1 } },
    { kind: 'publish', encoding: 'json', event: { ...EVENT, delayMs: null } },
    { kind: 'other', encoding: 'json' },
  ];
  for (const head of heads)
    assert.throws(() => readCall(0, Buffer.from(JSON.stringify(head))), { code: 'wire-protocol' });
});

test('what has been sent is published although its instance has gone meanwhile', async (t) => {
  const [begun, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let published = 0;
  const peer = await instance(t, {
    publish: async () => {
      begun.resolve();
      await over.promise;
      published++;
      return [{ id: 'e_1', duplicate: false }];
    },
  });
  void publish(peer, new Uint8Array(1)).catch(() => undefined);
  await begun.promise;
  peer.destroy();
  await peer.closed;
  over.resolve();
  await over.promise;
  assert.equal(published, 1);
});

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { readCall } from './call-frame.ts';
import type { FetchOrder } from '../../model/calls.ts';
import type { InstanceHome } from '../../model/instance.ts';
import type { InvocationContext } from '../../model/invocation.ts';
import type { WireConnection } from './connection.ts';
import type { FetchHead } from './fetch-head.ts';
import { FRAME } from './frames.ts';
import { WINDOW_BYTES } from './limits.ts';
import { readCallHead, readJson } from './messages.ts';
import { OutboundCalls } from './outbound-calls.ts';
import type { WireStream } from './stream.ts';
import { connectionOver, handle, socketPair } from './testing/pair.ts';

const HEAD: FetchHead = {
  method: 'GET',
  url: 'http://catalog/a?b=1',
  headers: ['x-a', '1'],
  hasBody: false,
  lengthBytes: null,
};

interface Asked {
  readonly order: FetchOrder;
  readonly parent: InvocationContext;
}

interface Side {
  readonly peer: WireConnection;
  /** The next request that reaches the server's caller. */
  readonly next: () => Promise<Asked>;
  readonly count: () => number;
}

/** An instance that keeps to no bounds of its own, and the server that takes its requests. */
async function instance(t: TestContext): Promise<Side> {
  const [near, far] = await socketPair(t);
  const server: WireConnection = connectionOver(near, 'server', {
    opened: (stream, _type, flags, payload) => calls.opened(stream, readCall(flags, payload)),
  });
  const queue: Asked[] = [];
  let count = 0;
  let told = Promise.withResolvers<void>();
  const caller: InstanceHome['caller'] = {
    call: () => Promise.reject(new Error('nothing is called')),
    fetch: (_from, _to, order, parent) => {
      count++;
      queue.push({ order, parent });
      told.resolve();
    },
  };
  const calls = new OutboundCalls('shop', server, { caller } as InstanceHome, systemClock);
  void server.closed.then((error) => server.loseStreams(error!));
  const next = async (): Promise<Asked> => {
    if (queue.length === 0) await told.promise;
    told = Promise.withResolvers();
    return queue.shift()!;
  };
  return { peer: connectionOver(far, 'instance'), next, count: () => count };
}

/** Sends a request; what comes back is noted, and awaited by `frame`. */
function ask(
  peer: WireConnection,
  head: Partial<FetchHead> | object = {},
): {
  stream: WireStream;
  ended: Promise<[string, unknown]>;
  bytes: () => number;
} {
  const stream = peer.open();
  const ended = Promise.withResolvers<[string, unknown]>();
  let bytes = 0;
  handle(stream, {
    data: (chunk) => void (bytes += chunk.length),
    frame: (type, _flags, payload) => {
      const over = (name: string, what: unknown): void => {
        peer.forget(stream);
        ended.resolve([name, what]);
      };
      if (type === FRAME.FAILED) over('failed', readJson(payload)['code']);
      if (type === FRAME.ANSWER) over('answer', payload.readUInt16LE(0));
      if (type === FRAME.DONE) over('done', bytes);
    },
    lost: () => ended.resolve(['lost', null]),
  });
  const request = { ...HEAD, ...head };
  peer.writer.json(FRAME.CALL, 0, stream.id, { kind: 'fetch', encoding: 'json', to: 'catalog', request });
  return { stream, ended: ended.promise, bytes: () => bytes };
}

test('what is no request that may be passed on is refused, and reaches nobody', async (t) => {
  const { peer, count } = await instance(t);
  const wrong: Partial<FetchHead>[] = [
    { method: '' },
    { method: 'GET / HTTP/1.1\r\nx: y' },
    { url: '/a' },
    { url: 'ftp://a/' },
    { url: 'http://a' },
    { url: 'http://a/ HTTP/1.1\r\nx: y' },
    { url: 'http://a/\n' },
    { url: 'http://a:b@c/' },
    { url: 'http://a/#b' },
    { headers: ['a b', '1'] },
    { headers: ['a', '1\r\nb: 2'] },
    { headers: ['a', '1\0'] },
    { headers: ['a\n', '1'] },
    { headers: ['a', '\u20ac'] },
  ];
  for (const head of wrong)
    assert.deepEqual([head, await ask(peer, head).ended], [head, ['failed', 'bad-request']]);
  assert.equal(count(), 0);
});

test('what is no head of a request breaks the protocol', () => {
  const heads: object[] = [
    {},
    { request: 'a' },
    { request: { ...HEAD, method: 5 } },
    { request: { ...HEAD, url: null } },
    { request: { ...HEAD, headers: ['a'] } },
    { request: { ...HEAD, headers: ['a', 5] } },
    { request: { ...HEAD, hasBody: 1 } },
    { request: { ...HEAD, lengthBytes: -1 } },
    { request: { ...HEAD, lengthBytes: 1.5 } },
    { request: { ...HEAD, headers: ['a', 'x'.repeat(600_000)] } },
  ];
  for (const head of heads) {
    const payload = Buffer.from(JSON.stringify({ kind: 'fetch', encoding: 'json', to: 'catalog', ...head }));
    assert.throws(() => readCallHead(payload), { code: 'wire-protocol' });
  }
});

test('a body where none was said to be ends the connection', async (t) => {
  const { peer, next } = await instance(t);
  const { stream } = ask(peer);
  await next();
  stream.write(Buffer.from('a'));
  await peer.closed;
});

test('an answer goes no faster than the instance takes it', async (t) => {
  const { peer, next } = await instance(t);
  const asked = ask(peer);
  const { order } = await next();
  order.response.head({ status: 200, headers: [] });
  const chunk = new Uint8Array(64 * 1024);
  let sent = 0;
  while (sent < 2 * WINDOW_BYTES && order.response.data(chunk)) sent += chunk.length;
  assert.ok(sent <= WINDOW_BYTES, `${sent}`);
  const drained = Promise.withResolvers<void>();
  order.response.onDrain(() => drained.resolve());
  order.response.end();
  asked.stream.grant(1024 * 1024);
  const [name, bytes] = await asked.ended;
  assert.deepEqual([name, bytes], ['done', sent + chunk.length]);
});

test('an answer to HEAD, or one that has no body by its status, has none', async (t) => {
  const { peer, next } = await instance(t);
  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ] as const) {
    const { ended } = ask(peer, { method });
    const { response } = (await next()).order;
    response.head({ status, headers: [] });
    assert.equal(response.data(Buffer.from('body')), true);
    response.end();
    assert.deepEqual(await ended, ['done', 0]);
  }
});

test('the caller is told that a request was given up, and that its instance has gone', async (t) => {
  const { peer, next } = await instance(t);
  const given = ask(peer);
  const first = await next();
  peer.writer.text(FRAME.ABORT, 0, given.stream.id, 'client-gone');
  const aborted = async ({ parent }: Asked): Promise<unknown> => {
    const told = Promise.withResolvers<void>();
    parent.signal.addEventListener('abort', () => told.resolve());
    if (!parent.signal.aborted) await told.promise;
    return (parent.signal.reason as { code: string }).code;
  };
  assert.equal(await aborted(first), 'client-gone');
  first.order.ended({ outcome: 'cancelled', error: null, cpuMs: 0 });
  assert.deepEqual(await given.ended, ['failed', 'bad-response']);
  ask(peer);
  const second = await next();
  peer.destroy();
  assert.equal(await aborted(second), 'client-gone');
  // Whoever carries it may not know yet.
  second.order.response.head({ status: 200, headers: [] });
  assert.equal(second.order.response.data(Buffer.from('a')), true);
  second.order.ended({ outcome: 'ok', error: null, cpuMs: 0 });
});

test('a request is read on behind its answer, and the stream is over when both are', async (t) => {
  const { peer, next } = await instance(t);
  const asked = ask(peer, { method: 'POST', hasBody: true, lengthBytes: 4 });
  const { order } = await next();
  const seen: string[] = [];
  const whole = Promise.withResolvers<void>();
  order.body!.read({
    data: (chunk) => void seen.push(Buffer.from(chunk).toString()),
    end: () => whole.resolve(),
    fail: (error) => whole.reject(error),
  });
  order.response.answer!({ status: 200, headers: [] }, Buffer.from('early'));
  asked.stream.write(Buffer.from('late'));
  asked.stream.endBody();
  await whole.promise;
  assert.deepEqual(seen, ['late']);
  order.ended({ outcome: 'ok', error: null, cpuMs: 0 });
  assert.deepEqual(await asked.ended, ['done', 5]);
});

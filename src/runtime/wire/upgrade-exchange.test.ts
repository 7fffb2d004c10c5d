import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { FakeClock } from '../../base/fake-clock.ts';
import type { InvocationContext } from '../../model/invocation.ts';
import { FLAG_BODY, FRAME } from './frames.ts';
import { connectionOver, handle, socketPair } from './testing/pair.ts';
import { UpgradeExchangeStream } from './upgrade-exchange.ts';

/** A client's connection: keeps what it is given, and takes it only while it is told to. */
class ClientSocket extends Duplex {
  text = '';
  takes = true;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    this.text += chunk.toString('latin1');
    if (this.takes) taken();
  }
}

/** Asks an instance that answers with `status` and `fields`, a body of 3 bytes, and its end. */
async function asked(
  t: TestContext,
  status: number,
  fields: readonly string[],
  takes = true,
): Promise<{
  exchange: UpgradeExchangeStream;
  socket: ClientSocket;
  clock: FakeClock;
  heard: Promise<void>;
}> {
  const [near, far] = await socketPair(t);
  const server = connectionOver(near, 'server');
  const instance = connectionOver(far, 'instance', {
    opened: (stream) => {
      handle(stream);
      const text = fields.join('\0');
      const at = instance.writer.begin(FRAME.RESPONSE, FLAG_BODY, stream.id, 2 + text.length);
      instance.writer.slab.writeUInt16LE(status, at);
      instance.writer.slab.write(text, at + 2, 'latin1');
      instance.writer.data(stream.id, Buffer.from('yes'));
      instance.writer.number(FRAME.DONE, stream.id, 1_000);
      instance.forget(stream);
    },
  });
  const clock = new FakeClock();
  const socket = new ClientSocket();
  socket.takes = takes;
  const context: InvocationContext = {
    component: 'hello',
    call: null,
    requestId: 'r_1',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    trigger: 'route',
    deadlineMs: 600_000,
    signal: new AbortController().signal,
  };
  const head = { method: 'GET', url: 'http://a/', target: '/', headers: ['Host', 'a'] };
  const exchange = new UpgradeExchangeStream(
    { context, head, socket, early: Buffer.alloc(0) },
    server,
    clock,
  );
  const heard = Promise.withResolvers<void>();
  const { frame } = exchange;
  exchange.frame = (type, flags, payload) => {
    frame.call(exchange, type, flags, payload);
    if (type === FRAME.DONE) heard.resolve();
  };
  return { exchange, socket, clock, heard: heard.promise };
}

for (const [what, fields] of [
  ['a line break in a value', ['X-A', 'a\r\nSet-Cookie: evil=1']],
  ['a line break in a name', ['X-A: b\r\nX-B', 'a']],
  ['a name with a space', ['X A', 'a']],
] as const) {
  for (const status of [101, 403]) {
    test(`${status} with ${what} is no answer, and leaves the socket untouched`, async (t) => {
      const { exchange, socket } = await asked(t, status, fields);
      const { outcome, error } = await exchange.ended;
      assert.deepEqual([outcome, error!.code], ['bad-response', 'bad-response']);
      assert.deepEqual([socket.text, socket.writableEnded], ['', false]);
    });
  }
}

test('a refusal says nothing of the hop between server and instance', async (t) => {
  const { exchange, socket } = await asked(t, 403, [
    ...['X-Why', 'because', 'Transfer-Encoding', 'chunked', 'Content-Length', '9'],
    ...['Connection', 'keep-alive, X-Private', 'X-Private', 'p', 'Keep-Alive', 'timeout=5'],
  ]);
  assert.equal((await exchange.ended).outcome, 'ok');
  assert.equal(socket.text, 'HTTP/1.1 403 Forbidden\r\nX-Why: because\r\nConnection: close\r\n\r\nyes');
});

test('a client that takes no more, once the instance is done, does not keep its slot', async (t) => {
  const { exchange, socket, clock, heard } = await asked(t, 101, ['Upgrade', 'websocket'], false);
  await heard;
  assert.equal(socket.destroyed, false, 'it has its time for the last bytes');
  await clock.advance(30_000);
  assert.equal((await exchange.ended).outcome, 'ok');
  assert.equal(socket.destroyed, true);
});

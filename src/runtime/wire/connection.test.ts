import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import { FLAG_BODY, FRAME } from './frames.ts';
import { WINDOW_BYTES } from './limits.ts';
import { connectionOver, handle, socketPair } from './testing/pair.ts';
import type { WireStream } from './stream.ts';

test('a body goes no further than its credit, and on when that is granted', async (t) => {
  const [near, far] = await socketPair(t);
  const opened = Promise.withResolvers<WireStream>();
  let received = 0;
  const enough = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  connectionOver(far, 'instance', {
    opened: (stream) => {
      handle(stream, {
        data: (chunk) => {
          received += chunk.length;
          if (received === WINDOW_BYTES) enough.resolve();
        },
        frame: (type) => {
          if (type === FRAME.BODY_END) ended.resolve();
        },
      });
      opened.resolve(stream);
    },
  });
  const server = connectionOver(near, 'server');
  const stream = server.open();
  const drained = Promise.withResolvers<void>();
  handle(stream, { drained: drained.resolve });
  server.writer.text(FRAME.REQUEST, FLAG_BODY, stream.id, 'head');
  assert.equal(stream.write(Buffer.alloc(WINDOW_BYTES - 1)), true);
  assert.equal(stream.write(Buffer.alloc(100_000)), false);
  stream.endBody();
  const peer = await opened.promise;
  await enough.promise;
  // A round trip: had there been more, it would have come before the answer.
  assert.equal(await server.ping(5_000), true);
  assert.equal(received, WINDOW_BYTES);
  peer.consumed(WINDOW_BYTES);
  await Promise.all([drained.promise, ended.promise]);
  assert.equal(received, WINDOW_BYTES + 99_999);
});

test('more data than was granted, or credit without end, breaks the connection', async (t) => {
  for (const lie of ['data', 'credit'] as const) {
    const [near, far] = await socketPair(t);
    const server = connectionOver(near, 'server');
    const stream = server.open();
    handle(stream);
    const peer = connectionOver(far, 'instance');
    if (lie === 'credit') {
      for (let i = 0; i < 20; i++) peer.writer.number(FRAME.WINDOW, stream.id, 1024 * 1024);
    } else {
      for (let i = 0; i < 5; i++) peer.writer.data(stream.id, Buffer.alloc(65_536));
    }
    assert.equal((await server.closed)?.code, 'wire-protocol');
  }
});

test('late frames of an opener are thrown away; late frames of an answerer break the connection', async (t) => {
  const [near, far] = await socketPair(t);
  const server = connectionOver(near, 'server');
  const instance = connectionOver(far, 'instance');
  // The server's stream 1 and the instance's stream 2 are unknown to both.
  for (const type of [FRAME.DATA, FRAME.BODY_END, FRAME.BODY_FAILED, FRAME.ABORT]) {
    server.writer.bytes(type, 0, 1, Buffer.from('x'));
    instance.writer.bytes(type, 0, 2, Buffer.from('x'));
  }
  assert.deepEqual(await Promise.all([server.ping(5_000), instance.ping(5_000)]), [true, true]);
  instance.writer.number(FRAME.DONE, 1, 0);
  assert.equal((await server.closed)?.code, 'wire-protocol');
  assert.equal(await instance.closed, null);
});

test('frames of a later minor version are thrown away', async (t) => {
  const [near, far] = await socketPair(t);
  const server = connectionOver(near, 'server', { control: () => assert.fail('it is unknown') });
  const instance = connectionOver(far, 'instance');
  instance.writer.text(200, 9, 0, 'news');
  instance.writer.text(200, 9, 77, 'news');
  assert.equal(await instance.ping(5_000), true);
  assert.equal(server.state, 'open');
});

test('a stream may be opened once, by its own side, and only so many at a time', async (t) => {
  for (const lie of ['twice', 'parity', 'count'] as const) {
    const [near, far] = await socketPair(t);
    const server = connectionOver(near, 'server', { opened: (stream) => handle(stream) });
    const peer = connectionOver(far, 'instance');
    const ids = { twice: [2, 2], parity: [3], count: Array.from({ length: 257 }, (_, i) => 2 * i + 2) }[lie];
    for (const id of ids) peer.writer.text(FRAME.CALL, 0, id, '{}');
    assert.equal((await server.closed)?.code, 'wire-protocol', lie);
  }
});

test('what a handler throws ends the connection, and its streams are told when somebody knows why', async (t) => {
  const [near, far] = await socketPair(t);
  const server = connectionOver(near, 'server', {
    control: () => {
      throw new Error('a fault of ours');
    },
  });
  const stream = server.open();
  let told: FulcrumError | null = null;
  handle(stream, {
    lost: (error) => {
      told = error;
    },
  });
  connectionOver(far, 'instance').writer.text(FRAME.READY, 0, 0, '{}');
  assert.equal((await server.closed)?.code, 'internal');
  assert.equal(told, null);
  const why = new FulcrumError('instance-crashed', 'told by the test');
  server.loseStreams(why);
  assert.equal(told, why);
  assert.equal(await server.ping(1), false);
});

test('a ping leaves nothing at the connection, and ends with it', async (t) => {
  const [near, far] = await socketPair(t);
  const server = connectionOver(near, 'server');
  const peer = connectionOver(far, 'instance');
  const reactions = t.mock.method(server.closed, 'then');
  for (let i = 0; i < 3; i++) assert.equal(await server.ping(60_000), true);
  assert.equal(reactions.mock.callCount(), 0);
  const pending = peer.ping(60_000);
  near.destroy();
  assert.equal(await pending, false);
});

test('a peer that sends nothing but noise is read slowly, not without end', async (t) => {
  const [near, far] = await socketPair(t);
  let lines = 0;
  const server = connectionOver(near, 'server', { control: () => void lines++ });
  // Many times what may come at once: had all been read, the far end would have been emptied.
  const noise = Buffer.alloc(64 * 1024 * 1024);
  for (let at = 0; at < noise.length; at += 1_048_576) {
    noise.writeUInt32LE(1_048_576 - 10, at);
    noise[at + 4] = FRAME.LOG;
  }
  const paused = Promise.withResolvers<void>();
  near.on('pause', paused.resolve);
  far.write(noise);
  await paused.promise;
  assert.ok(lines < 32, `${lines} lines were read at once`);
  server.destroy();
});

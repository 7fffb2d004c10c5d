import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FakeClock } from '../../base/fake-clock.ts';
import { silentLogger } from '../../base/log.ts';
import { FRAME, PROTOCOL_MINOR } from './frames.ts';
import { FrameWriter } from './frame-writer.ts';
import { WireListener } from './listener.ts';

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-listener-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function open(t: TestContext, path: string, clock = new FakeClock()): Promise<WireListener> {
  const listener = await WireListener.open(path, clock, silentLogger);
  t.after(() => listener.close());
  return listener;
}

function hello(path: string, instance: string, token: string): { socket: Socket; closed: Promise<unknown> } {
  const socket = connect(path);
  socket.on('error', () => undefined).resume();
  const closed = new Promise((resolve) => socket.on('close', resolve));
  const writer = new FrameWriter(socket);
  writer.json(FRAME.HELLO, 0, 0, { major: 1, minor: 7, instance, token });
  writer.flush();
  return { socket, closed };
}

test('the socket is closed to everyone else, and so is its folder', async (t) => {
  const path = join(await folderFor(t), 'new', 'wire.sock');
  await open(t, path);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(path, '..'))).mode & 0o777, 0o700);
});

test('a folder open to others, a path too long and a server that lives are refused', async (t) => {
  const folder = await folderFor(t);
  await mkdir(join(folder, 'open'), { mode: 0o755 });
  await assert.rejects(open(t, join(folder, 'open', 's')), { code: 'internal', message: /chmod 700/ });
  await assert.rejects(open(t, join(folder, 'x'.repeat(120))), { code: 'internal', message: /longer than/ });
  const path = join(folder, 's');
  await open(t, path);
  await assert.rejects(open(t, path), { code: 'port-in-use' });
});

test('a token is good for its own instance, and once', async (t) => {
  const path = join(await folderFor(t), 's');
  const listener = await open(t, path);
  const first = listener.expect('i_1');
  const second = listener.expect('i_2');
  assert.notEqual(first.token, second.token);
  assert.ok(first.token.length >= 43, '256 bits');
  await hello(path, 'i_2', first.token).closed;
  hello(path, 'i_1', first.token);
  const { connection, minor } = await first.admitted;
  assert.deepEqual([connection.state, minor], ['open', PROTOCOL_MINOR]);
  await hello(path, 'i_1', first.token).closed;
  assert.equal(connection.state, 'open');
  second.cancel();
  await hello(path, 'i_2', second.token).closed;
});

test('whoever does not say who it is is dropped in time', async (t) => {
  const path = join(await folderFor(t), 's');
  const clock = new FakeClock();
  await open(t, path, clock);
  const socket = connect(path);
  socket.resume();
  const closed = new Promise((resolve) => socket.on('close', resolve));
  await new Promise((resolve) => socket.on('connect', resolve));
  while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(5_000);
  await closed;
});

test('only so many strangers are listened to at a time', async (t) => {
  const path = join(await folderFor(t), 's');
  await open(t, path);
  const sockets = Array.from({ length: 65 }, () => connect(path));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.race(
    sockets.map(
      (socket) =>
        new Promise((resolve) =>
          socket
            .on('error', () => undefined)
            .resume()
            .on('close', resolve),
        ),
    ),
  );
});

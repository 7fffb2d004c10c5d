import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { FulcrumError } from '../../base/errors.ts';
import type { Instance } from '../../model/instance.ts';
import { fixture, MB, testRuntime, upgradeProxy, type LogLines, type TestProxy } from './testing/program.ts';

interface Setup {
  instance: Instance;
  log: LogLines;
  proxy: TestProxy;
  open(target?: string, protocols?: string[]): Promise<WebSocket>;
}

async function setUp(t: TestContext, name = 'websocket.mjs'): Promise<Setup> {
  const { log, start } = testRuntime(t);
  const instance = await start(fixture(name));
  const proxy = await upgradeProxy(t, instance);
  const open = async (target = '/', protocols: string[] = []): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}${target}`, protocols);
    t.after(() => socket.terminate());
    await once(socket, 'open');
    return socket;
  };
  return { instance, log, proxy, open };
}

async function echo(socket: WebSocket, data: Buffer | string): Promise<Buffer> {
  const answer = once(socket, 'message') as Promise<[Buffer, boolean]>;
  socket.send(data);
  return (await answer)[0];
}

async function closing(socket: WebSocket): Promise<number> {
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}

/** A connection that speaks for itself; `text` holds all that came. */
async function raw(
  t: TestContext,
  port: number,
): Promise<{ socket: Socket; bytes: () => Buffer; until: (w: RegExp) => Promise<void> }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  let bytes = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => (bytes = Buffer.concat([bytes, chunk])));
  const until = async (wanted: RegExp): Promise<void> => {
    while (!wanted.test(bytes.toString('latin1'))) await once(socket, 'data');
  };
  return { socket, bytes: () => bytes, until };
}

function handshake(target: string, more = ''): string {
  return (
    `GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`
  );
}

test('messages of every size go both ways, and a close handshake ends it well', async (t) => {
  const { proxy, open, log } = await setUp(t);
  const socket = await open('/', ['chat', 'other']);
  assert.equal(socket.protocol, 'chat');
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 5 * MB]) {
    const data = Buffer.alloc(size, size);
    assert.ok((await echo(socket, data)).equals(data), `${size} bytes`);
  }
  socket.close(4001);
  assert.equal(await closing(socket), 4001);
  await log.line(/^closed 4001$/);
  assert.deepEqual(await proxy.ends[0], { outcome: 'ok', error: null, cpuMs: 0 });
});

test('a client that does not read holds the program back, and what waits for it is bounded', async (t) => {
  const { proxy, open, log } = await setUp(t);
  const slow = await open();
  slow.pause();
  for (let i = 0; i < 128; i++) slow.send(Buffer.alloc(256 * 1024));
  slow.send('mark');
  await log.line(/^heard mark$/);
  // What could flow has flowed once other connections have had many turns.
  const other = await open();
  for (let i = 0; i < 50; i++) await echo(other, 'x');
  const waiting = proxy.sockets[0]!.writableLength;
  assert.ok(waiting > 0 && waiting < 2 * MB, `${waiting} bytes wait`);
  let messages = 0;
  const all = new Promise<void>((resolve) => slow.on('message', () => ++messages === 129 && resolve()));
  slow.resume();
  await all;
});

test('bytes that came with the request reach the program, and a half-close is passed on', async (t) => {
  const { proxy } = await setUp(t);
  const { socket, bytes, until } = await raw(t, proxy.port);
  // A masked text frame "hi" with a mask of zeros, in the same packet as the head.
  socket.write(
    Buffer.concat([Buffer.from(handshake('/')), Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])]),
  );
  await until(/\x81\x02hi$/);
  assert.match(
    bytes().toString('latin1'),
    /^HTTP\/1\.1 101 [^]*Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/,
  );
  socket.end();
  await once(socket, 'end');
  assert.equal((await proxy.ends[0])!.outcome, 'ok');
});

test('another protocol: each end may end its half, and a drain does not put frames into it', async (t) => {
  const { instance, proxy, log } = await setUp(t, 'raw.mjs');
  const { socket, bytes, until } = await raw(t, proxy.port);
  const answer = 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\nhello';
  const ended = once(socket, 'end');
  socket.write(handshake('/', `X-Answer: ${Buffer.from(answer).toString('base64')}\r\nX-Then: half\r\n`));
  await until(/hello$/);
  instance.drain();
  await ended;
  assert.equal(bytes().toString('latin1'), answer);
  socket.end('still talking');
  await log.line(/^behind: still talking$/);
  assert.equal((await proxy.ends[0])!.outcome, 'ok');
});

test('another answer is passed on as it is and the connection closed; nothing behind it reaches the program', async (t) => {
  const { proxy } = await setUp(t);
  const { socket, bytes } = await raw(t, proxy.port);
  socket.write(`${handshake('/refused')}GET /second HTTP/1.1\r\nHost: h\r\n\r\n`);
  await once(socket, 'end');
  assert.equal(
    bytes().toString('latin1'),
    'HTTP/1.1 403 Forbidden\r\nX-Why: not you\r\nContent-Length: 4\r\nConnection: close\r\n\r\nno!\n',
  );
  socket.end();
  assert.equal((await proxy.ends[0])!.outcome, 'ok');
});

test('drain tells both ends 1001 and closes, idle or in the middle of a message', async (t) => {
  const { instance, proxy, open, log } = await setUp(t);
  const idle = await open();
  await echo(idle, 'hello');
  // A frame of 1,000 bytes, of which only a part has come: the farewell must wait for its end.
  const half = await raw(t, proxy.port);
  half.socket.write(handshake('/'));
  await half.until(/\r\n\r\n/);
  const frame = Buffer.alloc(8 + 1_000);
  Buffer.from([0x82, 0xfe, 0x03, 0xe8]).copy(frame);
  half.socket.write(frame.subarray(0, 500));
  // An answered message on another connection: the half frame has been read meanwhile.
  await echo(idle, 'x');

  const code = closing(idle);
  instance.drain();
  assert.equal(instance.state, 'draining');
  assert.equal(await code, 1001);
  await log.line(/^closed 1001$/);
  await half.until(/\x88\x02\x03\xe9$/);
  log.entries.length = 0;
  half.socket.write(frame.subarray(500));
  await log.line(/^closed 1001$/);
  assert.equal(half.socket.readableEnded, false);
  // The client's answer to the farewell; then the server's end closes first.
  const ended = once(half.socket, 'end');
  half.socket.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]));
  await ended;
  half.socket.end();
  for (const end of proxy.ends) assert.equal((await end).outcome, 'ok');
});

test('a client that ignores the farewell is cut', async (t) => {
  const { instance, proxy } = await setUp(t);
  const deaf = await raw(t, proxy.port);
  deaf.socket.write(handshake('/'));
  await deaf.until(/\r\n\r\n/);
  const end = once(deaf.socket, 'end');
  instance.drain();
  await end;
  assert.equal((await proxy.ends[0])!.outcome, 'ok');
});

test('a program that dies: the client is cut and the end says how', async (t) => {
  const { proxy, open } = await setUp(t);
  const socket = await open();
  const code = closing(socket);
  socket.send('die');
  assert.equal(await code, 1006);
  const end = await proxy.ends[0]!;
  assert.deepEqual([end.outcome, end.error?.code], ['crashed', 'instance-crashed']);
  assert.match(end.error!.message, /exit code 7/);
});

test('a kill ends upgraded connections with its error', async (t) => {
  const { instance, proxy, open } = await setUp(t);
  const socket = await open();
  const code = closing(socket);
  const error = new FulcrumError('memory-exceeded', 'too much');
  instance.kill(error);
  assert.deepEqual(await proxy.ends[0], { outcome: 'crashed', error, cpuMs: 0 });
  assert.equal(await code, 1006);
});

test('an abort before the answer leaves the client to whoever called; one behind it cuts', async (t) => {
  const { proxy, open } = await setUp(t);
  const socket = await open();
  const silent = await raw(t, proxy.port);
  silent.socket.write(handshake('/silent'));
  while (proxy.ends.length < 2) await new Promise((resolve) => setImmediate(resolve));
  const code = closing(socket);
  proxy.abort.abort(new FulcrumError('timeout', 'too slow'));
  assert.equal(await code, 1006);
  for (const end of await Promise.all(proxy.ends))
    assert.deepEqual([end.outcome, end.error?.code], ['timeout', 'timeout']);
  // Still there: nothing was written to it and it was not closed.
  assert.deepEqual([silent.bytes().length, silent.socket.readyState], [0, 'open']);
});

test('a client that goes before the answer cancels it', async (t) => {
  const { proxy } = await setUp(t);
  const client = await raw(t, proxy.port);
  client.socket.write(handshake('/silent'));
  while (proxy.ends.length < 1) await new Promise((resolve) => setImmediate(resolve));
  client.socket.resetAndDestroy();
  const end = await proxy.ends[0]!;
  assert.deepEqual([end.outcome, end.error?.code], ['cancelled', 'client-gone']);
});

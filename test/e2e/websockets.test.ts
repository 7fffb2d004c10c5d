import assert from 'node:assert/strict';
import { once } from 'node:events';
import { suite, test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { startApp, type TestApp } from '../../src/testing/index.ts';
import { appFolder, config } from './support/app-folder.ts';

/** A room: what one says all hear. State of its own, which only a service's single replica shares among clients. */
const ROOM = `
  import type { ComponentModule, ComponentWebSocket } from 'fulcrum';
  const here = new Set<ComponentWebSocket>();
  export default {
    fetch: () => new Response(String(here.size)),
    websocket(request) {
      const name = new URL(request.url).searchParams.get('name');
      if (name === null) return new Response('Who are you?', { status: 401 });
      return {
        open: (socket) => void here.add(socket),
        message(_socket, data) { for (const one of here) one.send(name + ': ' + data); },
        close: (socket, code) => { here.delete(socket); console.log(name + ' left with ' + code); },
      };
    },
  } satisfies ComponentModule;`;

/** The same idea as a program of its own, of plain Node: it answers the handshake and echoes short unmasked text. */
const PROGRAM = `
  const { createServer } = require('node:http');
  const { createHash } = require('node:crypto');
  createServer().on('upgrade', (request, socket) => {
    const key = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
    socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + key + '\\r\\n\\r\\n');
    socket.on('error', () => {});
    socket.on('data', (frame) => {
      const length = frame[1] & 127;
      const text = Buffer.from(frame.subarray(6, 6 + length)).map((byte, i) => byte ^ frame[2 + (i % 4)]);
      socket.write(Buffer.concat([Buffer.from([frame[0], length]), text]));
      if ((frame[0] & 15) === 8) socket.end();
    });
  }).listen(process.env.PORT);`;

async function start(t: TestContext, mode: 'function' | 'service'): Promise<TestApp> {
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(`{
      room: { entry: './room.ts', routes: ['/room'], mode: '${mode}', ${mode === 'function' ? "concurrency: 10, max: 1, timeout: '2s'" : ''} },
      program: { command: 'node program.cjs', routes: ['/program'], mode: '${mode}' },
      plain: { entry: './plain.ts', routes: ['/plain'], mode: '${mode}' },
    }`),
    'room.ts': ROOM,
    'program.cjs': PROGRAM,
    'plain.ts': `export default { fetch: () => new Response('plain') };`,
  });
  const app = await startApp({ directory: folder.path });
  t.after(() => app.close());
  return app;
}

async function opened(
  app: TestApp,
  path: string,
): Promise<{ ws: WebSocket; heard: string[]; next(): Promise<void> }> {
  const ws = new WebSocket(`${app.url.replace('http', 'ws')}${path}`);
  const heard: string[] = [];
  let wake = (): void => undefined;
  ws.on('message', (data: Buffer) => {
    heard.push(data.toString());
    wake();
  });
  await once(ws, 'open');
  return { ws, heard, next: () => new Promise((resolve) => void (wake = resolve)) };
}

for (const mode of ['service', 'function'] as const) {
  suite(`WebSockets, ${mode} mode`, () => {
    test('a module: clients talk through it, and the log has one line for each connection', async (t) => {
      const app = await start(t, mode);
      const ada = await opened(app, '/room?name=ada');
      const bob = await opened(app, '/room?name=bob');
      ada.ws.send('hello');
      while (ada.heard.length < 1) await ada.next();
      while (bob.heard.length < 1) await bob.next();
      assert.deepEqual([ada.heard, bob.heard], [['ada: hello'], ['ada: hello']]);
      ada.ws.close(4_000);
      await once(ada.ws, 'close');
      bob.ws.close();
      await once(bob.ws, 'close');
      while (app.logs('room').filter(({ fields }) => fields?.['status'] === 101).length < 2) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(app.logs('room').some(({ text }) => text === 'ada left with 4000'));
    });

    test('a module that refuses, and one without the handler', async (t) => {
      const app = await start(t, mode);
      const refused = new WebSocket(`${app.url.replace('http', 'ws')}/room`);
      const [, answer] = (await once(refused, 'unexpected-response')) as [unknown, { statusCode: number }];
      assert.equal(answer.statusCode, 401);
      refused.on('error', () => undefined).terminate();
      const plain = new WebSocket(`${app.url.replace('http', 'ws')}/plain`);
      const [, none] = (await once(plain, 'unexpected-response')) as [unknown, { statusCode: number }];
      assert.equal(none.statusCode, 501);
      plain.on('error', () => undefined).terminate();
    });

    test('a command', async (t) => {
      const app = await start(t, mode);
      const client = await opened(app, '/program');
      client.ws.send('ping pong');
      while (client.heard.length < 1) await client.next();
      assert.deepEqual(client.heard, ['ping pong']);
      client.ws.close();
      await once(client.ws, 'close');
    });

    test(`a switch to the other mode says goodbye, and the next connection is the other mode's`, async (t) => {
      const app = await start(t, mode);
      const client = await opened(app, '/room?name=ada');
      const closed = once(client.ws, 'close');
      await app.mode('room', mode === 'service' ? 'function' : 'service');
      assert.equal((await closed)[0], 1_001);
      const again = await opened(app, '/room?name=ada');
      again.ws.send('still here');
      while (again.heard.length < 1) await again.next();
      again.ws.terminate();
    });
  });
}

test('in function mode a connection ends with the time that its invocation has', async (t) => {
  const app = await start(t, 'function');
  const client = await opened(app, '/room?name=ada');
  const [code, reason] = (await once(client.ws, 'close')) as [number, Buffer];
  assert.deepEqual([code, reason.toString()], [1_001, 'The time of the function is up.']);
});

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { once } from 'node:events';
import { suite, test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { startApp, type TestApp } from '../../src/testing/index.ts';
import { appFolder, config } from './support/app-folder.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Programs as their authors would write them for anywhere else: nothing in them knows of Fulcrum. */
const PROGRAMS = {
  'express.js': `
    const express = require('express');
    const { createHash } = require('node:crypto');
    const app = express();
    app.get('/express/hello', (request, response) => response.send('hello from express, ' + request.get('x-forwarded-host')));
    app.post('/express/json', express.json(), (request, response) => response.json(request.body));
    app.post('/express/upload', (request, response) => {
      const hash = createHash('sha256');
      request.on('data', (piece) => hash.update(piece)).on('end', () => response.send(hash.digest('hex')));
    });
    app.listen(process.env.PORT);`,
  'fastify.js': `
    const fastify = require('fastify')();
    fastify.get('/fastify/hello', async (request) => ({ hello: 'from fastify', id: request.headers['x-request-id'] }));
    fastify.listen({ port: Number(process.env.PORT) });`,
  'live.js': `
    const { createServer } = require('node:http');
    const { WebSocketServer } = require('ws');
    const server = createServer((request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      let i = 0;
      const timer = setInterval(() => response.write('data: ' + i++ + '\\n\\n'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
    server.listen(process.env.PORT, '127.0.0.1');`,
};

async function start(t: TestContext, mode: 'function' | 'service'): Promise<TestApp> {
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(`{
      express: { command: 'node express.js', routes: [{ path: '/express/*', bodyLimit: '50MB' }], mode: '${mode}', memory: '256MB', keepAlive: '5s' },
      fastify: { command: 'node fastify.js', routes: ['/fastify/*'], mode: '${mode}', memory: '256MB' },
      live: { command: 'node live.js', routes: ['/live/*'], mode: '${mode}', memory: '256MB', concurrency: 10, drain: '2s' },
    }`),
    ...PROGRAMS,
    'package.json': '{ "type": "commonjs" }',
  });
  await symlink(join(ROOT, 'node_modules'), join(folder.path, 'node_modules'));
  const app = await startApp({ directory: folder.path });
  t.after(() => app.close());
  return app;
}

for (const mode of ['function', 'service'] as const) {
  suite(`unmodified programs as a ${mode}`, () => {
    test('Express and Fastify answer, and an upload arrives whole', async (t) => {
      const app = await start(t, mode);
      const hello = await (await app.fetch('/express/hello')).text();
      assert.equal(hello, `hello from express, ${new URL(app.url).host}`);
      const sent = { deep: [1, { a: 'ü' }] };
      const json = await app.fetch('/express/json', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(sent),
      });
      assert.deepEqual(await json.json(), sent);
      const fastify = await app.fetch('/fastify/hello');
      assert.deepEqual(await fastify.json(), {
        hello: 'from fastify',
        id: fastify.headers.get('x-request-id'),
      });
      const upload = randomBytes(20 * 1024 * 1024);
      const hash = await (await app.fetch('/express/upload', { method: 'POST', body: upload })).text();
      assert.equal(hash, createHash('sha256').update(upload).digest('hex'));
    });

    test('WebSockets pass through both ways, and server-sent events arrive as they come', async (t) => {
      const app = await start(t, mode);
      const socket = new WebSocket(`${app.url.replace('http', 'ws')}/live/socket`);
      await once(socket, 'open');
      for (const size of [1, 125, 126, 70_000, 1_048_576]) {
        const message = randomBytes(size);
        socket.send(message);
        const [echo] = (await once(socket, 'message')) as [Buffer];
        assert.ok(echo.equals(message), `${size} bytes`);
      }
      socket.close(4001, 'enough');
      assert.equal(((await once(socket, 'close')) as [number])[0], 4001);

      const events = await app.fetch('/live/events');
      const reader = events.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      while (!text.includes('data: 3'))
        text += (await reader.read()).value ?? assert.fail('the stream ended');
      await reader.cancel();
    });
  });
}

test('when a service is told to go, WebSockets hear 1001 and event streams end', async (t) => {
  const app = await start(t, 'service');
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/live/socket`);
  await once(socket, 'open');
  const events = await app.fetch('/live/events');
  const closed = once(socket, 'close') as Promise<[number]>;
  const ended = events.text();
  await app.mode('live', 'function');
  assert.equal((await closed)[0], 1001);
  assert.match(await ended, /data: 0/);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { FakeClock, startApp } from '../../src/testing/index.ts';
import { appFolder, config } from './support/app-folder.ts';

const BACK = `export async function price() { return 3; }`;

/** Lets through what `back` refuses, unless it is asked to do otherwise. */
const front = (backs: string): string => `
  import { use } from 'fulcrum';
  const back = use<typeof import('./back.ts')>('${backs}');
  export async function price() { return await back.price(); }
  export default {
    async fetch(request: Request) {
      const { pathname } = new URL(request.url);
      try {
        return new Response(String(await price()));
      } catch (error) {
        if (pathname.endsWith('/caught')) return Response.json({ code: error.code, retryAfterS: error.retryAfterS });
        if (pathname.endsWith('/other')) throw Object.assign(new Error('made up'), { code: 'overloaded' });
        throw error;
      }
    },
    async websocket() {
      await price();
      return {};
    },
  };`;

const FORGER = `
  export default { fetch() { throw Object.assign(new Error('made up'), { code: 'switched-off', retryAfterS: 9 }); } };`;

test('what a called component refuses and its caller lets through is 503 with that Retry-After, in both modes', async (t) => {
  const limits = `limits: { rps: 0.2, burst: 1 }`;
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(`{
      fn: { entry: './front.ts', routes: ['/fn/*'] },
      svc: { entry: './front.ts', routes: ['/svc/*'], mode: 'service', replicas: 3 },
      far: { entry: './far.ts', routes: ['/far/*'] },
      rate: { entry: './rate.ts', routes: ['/rate/*'] },
      forger: { entry: './forger.ts', routes: ['/forger'] },
      off: { entry: './back.ts', limits: { concurrency: 0 } },
      rated: { entry: './back.ts', mode: 'service', ${limits} },
    }`),
    'back.ts': BACK,
    'front.ts': front('off'),
    'far.ts': front('fn'),
    'rate.ts': front('rated'),
    'forger.ts': FORGER,
  });
  await using app = await startApp({ directory: folder.path, clock: new FakeClock() });
  const ask = async (path: string) => {
    const answer = await app.fetch(path);
    const { type, detail } = (await answer.json()) as { type?: string; detail?: string };
    const retryAfter = answer.headers.get('retry-after');
    return { status: answer.status, code: type?.split('/').at(-1), retryAfter, detail };
  };
  const switchedOff = {
    status: 503,
    code: 'call-refused',
    retryAfter: '30',
    detail: 'Component "off", which is called for this, refuses it for now (switched-off).',
  };
  for (const mode of ['fn', 'svc']) {
    await t.test(`by a ${mode}`, async () => {
      assert.deepEqual(await ask(`/${mode}/a`), switchedOff);
      const caught = await (await app.fetch(`/${mode}/caught`)).json();
      assert.deepEqual(caught, { code: 'switched-off', retryAfterS: 30 });
      const ws = new WebSocket(`${app.url.replace('http', 'ws')}/${mode}/ws`);
      ws.on('error', () => undefined);
      const [, refusal] = (await once(ws, 'unexpected-response')) as [unknown, IncomingMessage];
      assert.deepEqual([refusal.statusCode, refusal.headers['retry-after']], [503, '30']);
      ws.terminate();
      // The handler's own word is not enough: nothing was refused to it with that.
      assert.deepEqual([(await ask(`/${mode}/other`)).status], [500]);
    });
  }

  await t.test('through a component between', async () => {
    assert.deepEqual(await ask('/far/a'), switchedOff);
  });

  await t.test('a rate', async () => {
    assert.equal(await (await app.fetch('/rate/a')).text(), '3');
    const { status, code, retryAfter, detail } = await ask('/rate/a');
    assert.deepEqual([status, code, retryAfter], [503, 'call-refused', '5']);
    assert.match(detail!, /"rated".*\(rate-limited\)/);
  });

  await t.test('nobody’s code can say so by itself', async () => {
    const { status, code, retryAfter } = await ask('/forger');
    assert.deepEqual([status, code, retryAfter], [500, 'handler-error', null]);
  });

  await t.test('no replica is ejected for it, and no error is logged of an order', async () => {
    for (let i = 0; i < 30; i++) await ask('/svc/a');
    const { instances } = (await app.status()).find(({ name }) => name === 'svc')!;
    assert.deepEqual(
      instances.map(({ ejectedForMs }) => ejectedForMs),
      [null, null, null],
    );
    const lines = app.logs('svc').filter(({ fields }) => fields?.['error'] === 'call-refused');
    assert.ok(lines.length >= 30 && lines.every(({ level }) => level === 'info'));
  });
});

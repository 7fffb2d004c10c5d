import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startApp, type TestApp } from '../../src/testing/index.ts';
import { appFolder, config } from './support/app-folder.ts';

const MB = 1024 * 1024;
/** Half of it is much more than what a process grows by under load anyway, garbage that is not collected yet included: 40 to 70 MB were seen. */
const BODY = 256 * MB;

interface Arrangement {
  readonly name: string;
  readonly mode: 'function' | 'service';
  readonly groups: string;
}

const ARRANGEMENTS: readonly Arrangement[] = [
  { name: 'functions', mode: 'function', groups: '' },
  { name: 'services', mode: 'service', groups: '' },
  {
    name: 'members of a group',
    mode: 'service',
    groups: `groups: { core: ['front', 'catalog', 'hasty', 'bare'] },`,
  },
];

/** Answers for `catalog`, which is asked through `front` and through nothing else. */
const CATALOG = `
  export const peak = () => process.resourceUsage().maxRSS * 1024;
  export default {
    async fetch(request: Request, _env: object, ctx: { requestId: string }) {
      const url = new URL(request.url);
      switch (url.pathname) {
        case '/items': return Response.json({ url: request.url, method: request.method, body: await request.text(), requestId: ctx.requestId });
        case '/pipe': return new Response(request.body, { status: 201 });
        case '/throws': throw Object.assign(new Error('sold out'), { code: 'E_SOLD' });
        case '/late': await new Promise((resolve) => setTimeout(resolve, 50_000)); return new Response();
        default: return new Response('no such thing', { status: 404 });
      }
    },
  };`;

const FRONT = `
  import { binding, use, type Env, type ServiceBinding } from 'fulcrum';
  const catalog = binding('catalog');
  export const viaFunction = async () => (await catalog.fetch('/items')).json();
  export const peak = () => process.resourceUsage().maxRSS * 1024;
  const told = (error: any) => ({ name: error.name, code: error.code, message: error.message });
  export default {
    async fetch(request: Request, env: Env<never, 'catalog' | 'program'>) {
      const url = new URL(request.url);
      const [, , to, ...rest] = url.pathname.split('/');
      const bound = (env as unknown as Record<string, ServiceBinding>)[to!] ?? binding(to!);
      try {
        return await bound.fetch(new Request(new URL('/' + rest.join('/') + url.search, 'http://inner.example'), request));
      } catch (error) {
        return Response.json(told(error), { status: 599 });
      }
    },
  };`;

const PROGRAM = `
  const { createServer } = require('node:http');
  createServer((request, response) => {
    if (request.url === '/pipe') return request.pipe(response.writeHead(201));
    if (request.url === '/dies') return process.exit(3);
    let body = '';
    request.on('data', (chunk) => (body += chunk)).on('end', () => {
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.setHeader('connection', 'close');
      response.writeHead(200, { 'content-type': 'application/json' });
      const { host, 'content-length': length, 'transfer-encoding': coding, traceparent, 'x-request-id': id } = request.headers;
      response.end(JSON.stringify({ method: request.method, url: request.url, body, host, length, coding, traceparent, id }));
    });
  }).listen(process.env.PORT, '127.0.0.1');`;

async function start(t: TestContext, { mode, groups }: Arrangement): Promise<TestApp> {
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(
      `{
      front: { entry: './front.ts', routes: [{ path: '/f/*', bodyLimit: '1GB' }], mode: '${mode}', timeout: '60s' },
      lone: { entry: './front.ts', routes: ['/lone/*'], calls: ['program'] },
      catalog: { entry: './catalog.ts', mode: '${mode}', timeout: '60s' },
      hasty: { entry: './catalog.ts', mode: '${mode}', timeout: '500ms' },
      bare: { entry: './bare.ts' },
      program: { command: 'node program.cjs', mode: '${mode}', memory: '256MB' },
      files: { static: './public', routes: ['/files/*'] },
    }`,
      groups,
    ),
    'front.ts': FRONT,
    'catalog.ts': CATALOG,
    'bare.ts': 'export const nothing = () => null;',
    'program.cjs': PROGRAM,
    'public/a.txt': 'a',
  });
  const app = await startApp({ directory: folder.path });
  t.after(() => app.close());
  return app;
}

/** Sends so many bytes, and counts what comes back. */
async function through(
  app: TestApp,
  path: string,
  bytes: number,
): Promise<{ status: number; bytes: number }> {
  let left = bytes;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const length = Math.min(left, 64 * 1024);
      left -= length;
      if (length > 0) controller.enqueue(new Uint8Array(length));
      if (left === 0) controller.close();
    },
  });
  const answer = await app.fetch(path, { method: 'POST', body, duplex: 'half' });
  let back = 0;
  for await (const chunk of answer.body!) back += chunk.length;
  return { status: answer.status, bytes: back };
}

for (const arrangement of ARRANGEMENTS) {
  test(`components ask each other through service bindings, as ${arrangement.name}`, async (t) => {
    const app = await start(t, arrangement);
    const json = async (
      path: string,
      init: RequestInit = {},
    ): Promise<{ status: number; [key: string]: unknown }> => {
      const answer = await app.fetch(path, init);
      return {
        status: answer.status,
        id: answer.headers.get('x-request-id'),
        ...((await answer.json()) as object),
      };
    };

    await t.test('a module', async () => {
      const answer = await json('/f/catalog/items?a=1', { method: 'PUT', body: 'grüße' });
      const { status, url, method, body, requestId, id } = answer;
      assert.deepEqual(
        [status, url, method, body, requestId],
        [200, 'http://inner.example/items?a=1', 'PUT', 'grüße', id],
      );
      assert.equal((await app.fetch('/f/catalog/nope')).status, 404);
      const { url: own } = (await app.call('front', 'viaFunction')) as { url: string };
      assert.equal(own, 'http://catalog/items');
    });

    await t.test('a command', async () => {
      const answer = await app.fetch('/f/program/x?y=1', { method: 'POST', body: 'abc' });
      const told = (await answer.json()) as Record<string, string>;
      assert.deepEqual(
        [told['method'], told['url'], told['body'], told['host'], told['id']],
        ['POST', '/x?y=1', 'abc', 'inner.example', answer.headers.get('x-request-id')],
      );
      assert.match(told['traceparent']!, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      assert.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2']);
    });

    await t.test('what cannot be answered is thrown, and names callee and request', async () => {
      for (const [path, code, text] of [
        ['/f/catalog/throws', 'E_SOLD', /^sold out$/],
        ['/f/bare/', 'handler-missing', /"bare".*no `fetch` handler/],
        ['/f/files/a.txt', 'call-unknown-component', /"files".*folder of files/],
        ['/f/catlog/', 'call-unknown-component', /"catalog"/],
        ['/lone/catalog/items', 'call-not-allowed', /"lone" may not call "catalog"/],
        ['/f/hasty/late', 'timeout', /"hasty" failed when "front" called it/],
        ['/f/program/dies', 'instance-crashed', /"program" failed when "front" called it/],
      ] as const) {
        const { status, code: found, message, id } = await json(path);
        assert.deepEqual([path, status, found], [path, 599, code]);
        assert.match(String(message), text);
        if (found !== 'E_SOLD') assert.ok(String(message).includes(String(id)), String(message));
      }
      assert.equal((await app.fetch('/lone/program/x')).status, 200);
    });

    await t.test('large bodies are streamed both ways, and neither end holds them', async () => {
      await through(app, '/f/catalog/pipe', 8 * MB);
      // The most that each has ever held: what is freed again has been held all the same.
      const peaks = async (): Promise<number[]> => {
        const others = await Promise.all([app.call('front', 'peak'), app.call('catalog', 'peak')]);
        return [process.resourceUsage().maxRSS * 1024, ...(others as number[])];
      };
      for (const callee of ['catalog', 'program']) {
        const before = await peaks();
        assert.deepEqual(await through(app, `/f/${callee}/pipe`, BODY), { status: 201, bytes: BODY });
        for (const [i, after] of (await peaks()).entries()) {
          const grownMb = Math.round((after - before[i]!) / MB);
          assert.ok(
            grownMb < BODY / MB / 2,
            `${callee}: ${grownMb} MB more in ${['the server', 'front', 'catalog'][i]}`,
          );
        }
      }
    });
  });
}

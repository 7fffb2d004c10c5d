import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { IncomingHttpHeaders } from 'node:http';
import type { TestContext } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { OutcomeCounts } from './outcomes.ts';
import { FakeDispatcher } from './testing/fake-dispatcher.ts';
import { answering, failed, OK } from './testing/fake-instance.ts';
import { gatewayFixture } from './testing/gateway-fixture.ts';
import type { LogEntry } from '../model/log.ts';
import type { RequestHead } from '../model/http.ts';
import type { GatewayApp } from './app-table.ts';
import type { GatewayRelease } from './served-release.ts';
import type { Behaviour } from './testing/fake-instance.ts';
import type { GatewayFixture } from './testing/gateway-fixture.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function get(
  fixture: GatewayFixture,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      port: fixture.port,
      host: '127.0.0.1',
      path,
      method,
      headers,
      agent: false,
    });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
    });
    request.end();
  });
}

/** A release of its own, with a dispatcher of its own, whose one component answers as `behaviour` says. */
function releaseOf(
  fixture: GatewayFixture,
  behaviour: Behaviour,
  changes: Partial<GatewayRelease> = {},
  route: { path: string; stripPrefix?: boolean } = { path: '/*' },
): GatewayRelease {
  const dispatcher = new FakeDispatcher();
  fixture.runs('web', [route], behaviour);
  dispatcher.behaviours.set('web', behaviour);
  return fixture.release({ dispatcher, ...changes });
}

function appOf(id: string, hosts: readonly string[], prefix: string, serving: GatewayRelease): GatewayApp {
  return { id, hosts, prefix, serving, canary: null };
}

function recording(heads: RequestHead[]): Behaviour {
  return {
    http: ({ head, response }) => {
      heads.push(head);
      response.head({ status: 200, headers: [] });
      response.end();
      return Promise.resolve(OK);
    },
  };
}

test('each app gets its own requests, with instances and a log of its own', async (t) => {
  const fixture = await gatewayFixture(t);
  const lines: LogEntry[] = [];
  const log = { write: (line: LogEntry) => void lines.push(line) };
  fixture.gateway.setApps([
    appOf('one', ['one.test'], '', releaseOf(fixture, answering(200, [], 'one'), { log })),
    appOf('two', ['*.two.test'], '', releaseOf(fixture, answering(200, [], 'two'))),
  ]);
  assert.equal((await get(fixture, '/', { Host: 'one.test:8080' })).text, 'one');
  assert.equal((await get(fixture, '/', { Host: 'a.two.test' })).text, 'two');
  const nobody = await get(fixture, '/', { Host: 'three.test' });
  assert.equal(nobody.status, 404);
  const problem = JSON.parse(nobody.text) as { type: string; detail: string };
  assert.deepEqual(
    [problem.type, problem.detail],
    ['https://fulcrum.dev/errors/app-not-found', 'No app on this server answers under the host three.test.'],
  );
  assert.equal(lines.length, 1);
  assert.deepEqual(
    (await fixture.logged(2)).map(({ component }) => component),
    ['web', '-'],
  );
});

test('the prefix is taken off for routes and components, and told of; the URL stays what the client asked for', async (t) => {
  const fixture = await gatewayFixture(t);
  const heads: RequestHead[] = [];
  fixture.gateway.setApps([
    appOf(
      'shop',
      [],
      '/shop',
      releaseOf(fixture, recording(heads), {}, { path: '/api/*', stripPrefix: true }),
    ),
    appOf('cart', [], '/shop/cart', releaseOf(fixture, recording(heads))),
  ]);
  const said = { 'X-Forwarded-Prefix': '/evil' };
  for (const path of ['/shop/api/x?y=1', '/shop/api', '/shop/cart', '/shop/cart/a']) {
    assert.equal((await get(fixture, path, { Host: 'a.test', ...said })).status, 200, path);
  }
  assert.equal((await get(fixture, '/shop/other', { Host: 'a.test' })).status, 404);
  const prefixes = heads.map(({ headers }) =>
    headers.filter((_, i) => headers[i - 1] === 'X-Forwarded-Prefix'),
  );
  assert.deepEqual(
    heads.map(({ target, url }) => [target, url]),
    [
      ['/x?y=1', 'http://a.test/shop/api/x?y=1'],
      ['/', 'http://a.test/shop/api'],
      ['/', 'http://a.test/shop/cart'],
      ['/a', 'http://a.test/shop/cart/a'],
    ],
  );
  assert.deepEqual(prefixes, [['/shop'], ['/shop'], ['/shop/cart'], ['/shop/cart']]);
  assert.deepEqual(
    (await fixture.logged(1)).map(({ fields }) => fields!['path']),
    ['/shop/api/x', '/shop/api', '/shop/cart', '/shop/cart/a', '/shop/other'],
  );
});

test('files below a prefix: found without it, and a redirect leads back below it', async (t) => {
  const fixture = await gatewayFixture(t);
  const directory = await mkdtemp(join(tmpdir(), 'gateway-'));
  t.after(() => rm(directory, { recursive: true }));
  await mkdir(join(directory, 'sub'));
  await writeFile(join(directory, 'sub', 'index.html'), 'hello');
  fixture.serves('assets', ['/assets/*'], directory);
  fixture.gateway.setApps([appOf('shop', [], '/shop', fixture.release())]);
  assert.equal((await get(fixture, '/shop/assets/sub/')).text, 'hello');
  const redirect = await get(fixture, '/shop/assets/sub?x=1');
  assert.deepEqual([redirect.status, redirect.headers.location], [308, '/shop/assets/sub/?x=1']);
});

const FORWARDED = { Host: 'one.test', 'X-Forwarded-Host': 'two.test', 'X-Forwarded-For': '192.0.2.7' };

test("the machine's trusted proxy decides for which app a request is; an app's own only what that app is told", async (t) => {
  const heads: Record<string, RequestHead[]> = { one: [], two: [] };
  const serve = (fixture: GatewayFixture, trusts: readonly string[]): void =>
    fixture.gateway.setApps(
      ['one', 'two'].map((id) => {
        const gateway = { trustedProxies: trusts, cors: null };
        return appOf(id, [`${id}.test`], '', releaseOf(fixture, recording(heads[id]!), { gateway }));
      }),
    );
  const behind = await gatewayFixture(t, { trustedProxies: ['127.0.0.1'] });
  serve(behind, []);
  await get(behind, '/', FORWARDED);
  assert.deepEqual([heads['one']!.length, heads['two']!.map(({ url }) => url)], [0, ['http://two.test/']]);

  const open = await gatewayFixture(t);
  serve(open, ['127.0.0.1']);
  await get(open, '/', FORWARDED);
  assert.deepEqual([heads['one']!.map(({ url }) => url), heads['two']!.length], [['http://two.test/'], 1]);
  assert.ok(heads['one']![0]!.headers.includes('192.0.2.7, 127.0.0.1'));

  serve(open, []);
  await get(open, '/', FORWARDED);
  assert.equal(heads['one']![1]!.url, 'http://one.test/');
});

async function withCanary(t: TestContext): Promise<{
  fixture: GatewayFixture;
  old: GatewayRelease;
  canary: GatewayRelease;
  set(percent: number | null, prefix?: string): void;
}> {
  const fixture = await gatewayFixture(t, { trustedProxies: ['127.0.0.1'] });
  const old = releaseOf(fixture, answering(200, [], 'old'), { number: 1 });
  const canary = releaseOf(fixture, answering(200, [], 'new'), { number: 2 });
  const set = (percent: number | null, prefix = ''): void =>
    fixture.gateway.setApps([
      {
        ...appOf('shop', [], prefix, old),
        canary: percent === null ? null : { release: canary, percent },
      },
    ]);
  return { fixture, old, canary, set };
}

test('a client stays with the release that it was given, and none leaves the canary as its share rises', async (t) => {
  const { fixture, set } = await withCanary(t);
  set(30);
  const clients: { cookie: string; first: string }[] = [];
  for (let i = 0; i < 60; i++) {
    const { text, headers } = await get(fixture, '/');
    const line = headers['set-cookie']![0]!;
    const match = /^(fulcrum_canary=\d{1,4}); Path=\/; HttpOnly; SameSite=Lax$/.exec(line);
    assert.ok(match !== null, line);
    clients.push({ cookie: match[1]!, first: text });
  }
  assert.deepEqual(new Set(clients.map(({ first }) => first)), new Set(['old', 'new']));
  for (const { cookie, first } of clients) {
    const again = await get(fixture, '/', { Cookie: `a=b; ${cookie}` });
    assert.deepEqual([again.text, again.headers['set-cookie']], [first, undefined]);
  }
  set(60);
  for (const { cookie, first } of clients) {
    const { text } = await get(fixture, '/', { Cookie: cookie });
    if (first === 'new') assert.equal(text, 'new');
  }
  set(100);
  assert.equal((await get(fixture, '/', { Cookie: clients[0]!.cookie })).text, 'new');
  set(0);
  assert.equal((await get(fixture, '/', { Cookie: clients[0]!.cookie })).text, 'old');
});

test('the cookie is set while a canary runs, below the prefix, and only for https where it came by that', async (t) => {
  const { fixture, set } = await withCanary(t);
  set(null);
  assert.equal((await get(fixture, '/')).headers['set-cookie'], undefined);
  set(50, '/shop');
  const [line] = (await get(fixture, '/shop/', { 'X-Forwarded-Proto': 'https' })).headers['set-cookie']!;
  assert.match(line!, /^fulcrum_canary=\d+; Path=\/shop; HttpOnly; SameSite=Lax; Secure$/);
});

test("a component's own cookies stay beside it; an answer that streams, a HEAD and a refusal carry it too", async (t) => {
  const fixture = await gatewayFixture(t);
  const release = releaseOf(fixture, {
    http: ({ head, response }) => {
      if (head.target === '/no')
        return Promise.resolve(failed('crashed', new FulcrumError('handler-error', 'no')));
      response.head({ status: 200, headers: ['Set-Cookie', 'own=1'] });
      response.data(Buffer.from('a'));
      response.end();
      return Promise.resolve(OK);
    },
  });
  fixture.gateway.setApps([{ ...appOf('shop', [], '', release), canary: { release, percent: 50 } }]);
  const names = (answer: Answer): string[] =>
    (answer.headers['set-cookie'] ?? []).map((line) => line.slice(0, line.indexOf('=')));
  assert.deepEqual(names(await get(fixture, '/')), ['own', 'fulcrum_canary']);
  assert.deepEqual(names(await get(fixture, '/', {}, 'HEAD')), ['own', 'fulcrum_canary']);
  assert.deepEqual(names(await get(fixture, '/no')), ['fulcrum_canary']);
});

test("each release counts its own requests, and of those that failed only what was not the client's doing", async (t) => {
  const fixture = await gatewayFixture(t);
  const old = new OutcomeCounts();
  const fresh = new OutcomeCounts();
  const behaviour: Behaviour = {
    http: ({ head, response }) => {
      const status = Number(head.target.slice(1));
      if (status === 0) return Promise.resolve(failed('crashed', new FulcrumError('handler-error', 'no')));
      response.head({ status: status === 1 ? 200 : status, headers: ['Content-Length', '2'] });
      response.data(Buffer.from(status === 1 ? 'a' : 'ab'));
      response.end();
      return Promise.resolve(OK);
    },
  };
  const serving = releaseOf(fixture, behaviour, { outcomes: old });
  const release = releaseOf(fixture, behaviour, { number: 2, outcomes: fresh }, { path: '/*' });
  const set = (percent: number): void =>
    fixture.gateway.setApps([{ ...appOf('shop', [], '', serving), canary: { release, percent } }]);
  set(100);
  for (const path of ['/200', '/404', '/503', '/0']) await get(fixture, path);
  await assert.rejects(get(fixture, '/1'), 'an answer that broke off');
  assert.deepEqual([fresh.total, fresh.failed, old.total], [5, 3, 0]);
  set(0);
  await get(fixture, '/200');
  assert.deepEqual([fresh.total, old.total, old.failed], [5, 1, 0]);
});

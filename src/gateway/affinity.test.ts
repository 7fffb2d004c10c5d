import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as http2Connect } from 'node:http2';
import { test, type TestContext } from 'node:test';
import type { Affinity, Mode } from '../model/app.ts';
import { affinityLine, affinityOf } from './affinity.ts';
import { answering, OK, type Behaviour } from './testing/fake-instance.ts';
import { gatewayFixture, type FixtureOptions, type GatewayFixture } from './testing/gateway-fixture.ts';

const VALUE = 'AbCdEfGhIjKlMnOpQrSt_-';
const LINE = /^fulcrum-affinity=([\w-]{22}); Path=\/; HttpOnly; SameSite=Lax$/;

async function served(
  t: TestContext,
  affinity: Affinity | null,
  { mode = 'service', ...options }: FixtureOptions & { mode?: Mode } = {},
): Promise<GatewayFixture> {
  const fixture = await gatewayFixture(t, options);
  fixture.dispatcher.mode = mode;
  return fixture.runs('web', ['/*'], answering(200, ['Set-Cookie', 'own=1'], 'ok'), affinity);
}

function atOnce(headers: readonly string[]): Behaviour {
  return {
    http: ({ response }) => {
      response.answer!({ status: 200, headers }, Buffer.from('ok'));
      return Promise.resolve(OK);
    },
  };
}

function keysOf({ dispatcher }: GatewayFixture): (string | null)[] {
  return dispatcher.ran.map(({ seed }) => seed.affinityKey);
}

async function cookiesOf(fixture: GatewayFixture, cookie: string | null): Promise<string[]> {
  const response = await fetch(fixture.url, cookie === null ? {} : { headers: { cookie } });
  await response.text();
  return response.headers.getSetCookie();
}

const COOKIES: [string | null, string | null][] = [
  [null, null],
  ['', null],
  [`fulcrum-affinity=${VALUE}`, VALUE],
  [`a=b;fulcrum-affinity=${VALUE};c=d`, VALUE],
  [`xfulcrum-affinity=${VALUE}`, null],
  [`a=fulcrum-affinity=${VALUE}`, null],
  ['fulcrum-affinity=short', null],
  [`fulcrum-affinity=${VALUE}x`, null],
  ['fulcrum-affinity', null],
  [`fulcrum-affinity=${'!'.repeat(22)}; fulcrum-affinity=${VALUE}`, VALUE],
];
for (const [cookie, value] of COOKIES) {
  test(`Cookie: ${cookie} holds ${value}`, () => assert.equal(affinityOf(cookie), value));
}

test('the cookie that is set is read again, and is secure where the client spoke https', () => {
  assert.equal(
    affinityLine(VALUE, '/shop', true),
    `Set-Cookie: fulcrum-affinity=${VALUE}; Path=/shop; HttpOnly; SameSite=Lax; Secure\r\n`,
  );
});

test('cookie: set where it is missing or malformed, once, beside the component’s own, and its value is the key', async (t) => {
  const fixture = await served(t, { kind: 'cookie' });
  const [own, set] = (await cookiesOf(fixture, null)).sort((a, b) => b.localeCompare(a));
  assert.equal(own, 'own=1');
  const value = LINE.exec(set!)![1]!;
  assert.deepEqual(keysOf(fixture), [value]);
  assert.deepEqual(await cookiesOf(fixture, `fulcrum-affinity=${value}`), ['own=1']);
  assert.match((await cookiesOf(fixture, 'fulcrum-affinity=<script>')).join(), /fulcrum-affinity=/);
  const [, again, other] = keysOf(fixture);
  assert.equal(again, value);
  assert.notEqual(other, value);
});

test('cookie: nothing is set while the component runs as a function, or where there is no instance', async (t) => {
  const fixture = await served(t, { kind: 'cookie' }, { mode: 'function' });
  assert.deepEqual(await cookiesOf(fixture, null), ['own=1']);
  const without = await served(t, null);
  assert.deepEqual(await cookiesOf(without, `fulcrum-affinity=${VALUE}`), ['own=1']);
  assert.deepEqual(keysOf(without), [null]);
});

test('cookie: under an app’s prefix it is that app’s, and over HTTP/2 with TLS it is secure', async (t) => {
  const fixture = await served(t, { kind: 'cookie' });
  const serving = fixture.release();
  fixture.gateway.setApps([{ id: 'shop', hosts: [], prefix: '/shop', serving, canary: null }]);
  const { port, ca } = await fixture.listenTls(t);
  const session = http2Connect(`https://127.0.0.1:${port}`, { ca, servername: 'a.test' });
  t.after(() => session.destroy());
  const ask = async (fields: Record<string, string>): Promise<readonly string[]> => {
    const stream = session.request({ ':path': '/shop/x', ':authority': 'a.test', ...fields });
    stream.resume();
    const [headers] = (await once(stream, 'response')) as [Record<string, string[]>];
    return headers['set-cookie']!;
  };
  const lines = await ask({});
  const set = lines.find((line) => line.startsWith('fulcrum-affinity='))!;
  assert.match(set, /^fulcrum-affinity=[\w-]{22}; Path=\/shop; HttpOnly; SameSite=Lax; Secure$/);
  assert.deepEqual(await ask({ cookie: `${set.split(';')[0]!}; a=b` }), ['own=1']);
  const [first, second] = keysOf(fixture);
  assert.equal(first, second);
});

test('cookie: none on an answer that a shared cache may give to others, over HTTP/1 and HTTP/2, whole or in pieces', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.dispatcher.mode = 'service';
  const cases: [path: string, fields: string[], isSet: boolean][] = [
    ['/public', ['Cache-Control', 'public, max-age=60'], false],
    ['/shared', ['Age', '1', 'cache-control', 'max-age=0, S-MaxAge=60'], false],
    ['/twice', ['Cache-Control', 'max-age=60', 'Cache-Control', 'public'], false],
    ['/private', ['Cache-Control', 'private, max-age=60'], true],
    ['/other', ['X-Note', 'cache-control: public', 'Cache-Control', 'no-store'], true],
    ['/none', [], true],
  ];
  for (const [path, fields] of cases) {
    const name = path.slice(1);
    fixture.runs(`pieces-${name}`, [path], answering(200, fields, 'o', 'k'), { kind: 'cookie' });
    fixture.runs(`whole-${name}`, [`/whole${path}`], atOnce(fields), { kind: 'cookie' });
  }
  const { port, ca } = await fixture.listenTls(t);
  const session = http2Connect(`https://127.0.0.1:${port}`, { ca, servername: 'a.test' });
  t.after(() => session.destroy());
  for (const [path, , isSet] of cases) {
    for (const asked of [path, `/whole${path}`]) {
      const plain = await fetch(fixture.url + asked);
      await plain.text();
      assert.equal(plain.headers.getSetCookie().length, isSet ? 1 : 0, `${asked} over HTTP/1`);
      const stream = session.request({ ':path': asked, ':authority': 'a.test' });
      stream.resume();
      const [headers] = (await once(stream, 'response')) as [Record<string, string[] | undefined>];
      await once(stream, 'close');
      assert.equal(headers['set-cookie']?.length ?? 0, isSet ? 1 : 0, `${asked} over HTTP/2`);
    }
  }
});

test('header: its value is the key, the end of a very long one; none without it', async (t) => {
  const fixture = await served(t, { kind: 'header', name: 'x-user' });
  const long = 'a'.repeat(2_000);
  for (const value of ['ada', `${long}1`, `${long}2`]) {
    await (await fetch(fixture.url, { headers: { 'X-User': value } })).text();
  }
  await (await fetch(fixture.url)).text();
  const [ada, one, two, none] = keysOf(fixture);
  assert.deepEqual([ada, none], ['ada', null]);
  assert.notEqual(one, two);
  assert.ok(one!.length <= 1_024);
});

test('ip: the client’s address, as the proxies that are trusted say', async (t) => {
  const headers = { 'X-Forwarded-For': '203.0.113.9, 198.51.100.7' };
  const plain = await served(t, { kind: 'ip' });
  await (await fetch(plain.url, { headers })).text();
  assert.deepEqual(keysOf(plain), ['127.0.0.1']);
  const behind = await served(t, { kind: 'ip' }, { trustedProxies: ['127.0.0.1', '198.51.100.0/24'] });
  await (await fetch(behind.url, { headers })).text();
  assert.deepEqual(keysOf(behind), ['203.0.113.9']);
});

test('a WebSocket carries its key, and its answer sets the cookie behind the status line', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.dispatcher.mode = 'service';
  const upgrade = async ({ socket }: { socket: NodeJS.WritableStream }): Promise<typeof OK> => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nbytes');
    socket.end('more');
    await once(socket, 'finish');
    return OK;
  };
  fixture.runs('web', ['/*'], { upgrade }, { kind: 'cookie' });
  const ask = (more: string): Promise<string> =>
    fixture.raw(`GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n${more}\r\n`);
  const answer = await ask('');
  const set =
    /^HTTP\/1\.1 101 [\w ]+\r\nSet-Cookie: fulcrum-affinity=([\w-]{22}); [^\r]+\r\nUpgrade: x\r\n\r\nbytesmore$/;
  const value = set.exec(answer)![1]!;
  assert.equal(
    await ask(`Cookie: fulcrum-affinity=${value}\r\n`),
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nbytesmore',
  );
  assert.deepEqual(keysOf(fixture), [value, value]);
});

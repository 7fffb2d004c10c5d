import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { test, type TestContext } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import type { CorsSettings } from '../model/app.ts';
import { FakeAsyncRequests } from './testing/fake-async-requests.ts';
import { answering } from './testing/fake-instance.ts';
import { gatewayFixture, type FixtureOptions, type GatewayFixture } from './testing/gateway-fixture.ts';

const ID = 'a_0123456789abcdef1';
const MB = 1024 ** 2;

interface Scene {
  readonly fixture: GatewayFixture;
  readonly later: FakeAsyncRequests;
  ask(target: string, init?: RequestInit): Promise<Response>;
}

async function scene(t: TestContext, options: FixtureOptions = {}): Promise<Scene> {
  const fixture = await gatewayFixture(t, options);
  const later = new FakeAsyncRequests();
  fixture.offers = { later };
  const open = { async: { open: true } };
  fixture.runs('report', ['/report/*'], answering(200, [], 'at once'), null, open);
  fixture.runs('other', ['/other/*'], answering(200, [], 'other at once'), null, open);
  fixture.runs('closed', ['/closed/*'], answering(200, [], 'closed at once'));
  return { fixture, later, ask: (target, init) => fetch(`${fixture.url}${target}`, init) };
}

test('a request with ?async is kept, and answered with where its answer will be', async (t) => {
  const { fixture, later, ask } = await scene(t);
  const response = await ask('/report/july?a=1&async&b=%20', {
    method: 'PUT',
    body: 'numbers',
    headers: { 'x-own': 'kept', 'content-type': 'text/csv', authorization: 'Basic eA==' },
  });
  assert.equal(response.status, 202);
  assert.deepEqual(await response.json(), { id: ID, status: 'waiting' });
  assert.equal(response.headers.get('location'), `/report/july?async=${ID}`);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('preference-applied'), null);
  assert.equal(fixture.dispatcher.ran.length, 0, 'nothing has run');
  const [order] = later.orders;
  assert.equal(order!.component, 'report');
  assert.equal(order!.requestId, response.headers.get('x-request-id'));
  assert.ok(order!.work.kind === 'request');
  const { method, url, target, fields, body } = order!.work;
  assert.equal(method, 'PUT');
  assert.equal(target, '/report/july?a=1&b=%20');
  assert.equal(url, `${fixture.url}${target}`);
  assert.equal(Buffer.from(body).toString(), 'numbers');
  const field = (name: string): string | undefined =>
    fields[fields.findIndex((one, i) => i % 2 === 0 && one.toLowerCase() === name) + 1];
  assert.equal(field('x-own'), 'kept');
  assert.equal(field('content-type'), 'text/csv');
  assert.equal(field('x-forwarded-for'), '127.0.0.1');
  assert.deepEqual(later.admitted, [['report', 'for-it', '127.0.0.1']]);
  const [line] = await fixture.logged(1);
  assert.equal(line!.component, 'report');
});

test('so is one that prefers it, and the preference is applied, not passed on', async (t) => {
  const { later, ask } = await scene(t);
  const response = await ask('/report/x?q', { headers: { prefer: 'respond-async, wait=5' } });
  assert.equal(response.status, 202);
  assert.equal(response.headers.get('preference-applied'), 'respond-async');
  assert.equal(response.headers.get('location'), `/report/x?async=${ID}`);
  const { work } = later.orders[0]!;
  assert.ok(work.kind === 'request');
  assert.equal(work.target, '/report/x?q');
  assert.equal(work.body.length, 0);
  assert.equal(work.fields[work.fields.indexOf('prefer') + 1], 'wait=5');
});

test('a component that is not open to it sees it as any other query', async (t) => {
  const { fixture, later, ask } = await scene(t);
  for (const target of ['/closed/x?async', `/closed/x?async=${ID}`])
    assert.equal(
      await (await ask(target, { headers: { prefer: 'respond-async' } })).text(),
      'closed at once',
    );
  assert.equal(await (await ask(`/report/x?async=${ID}`, { method: 'POST' })).text(), 'at once');
  assert.equal(await (await ask('/report/x?asynchronous')).text(), 'at once');
  fixture.offers = {};
  fixture.apply();
  assert.equal(await (await ask('/report/x?async')).text(), 'at once', 'nobody keeps requests here');
  assert.equal(later.orders.length, 0);
  assert.equal(fixture.dispatcher.ran.length, 5);
});

test('who has its id asks what became of it: it waits, then it is the answer itself', async (t) => {
  const { later, ask } = await scene(t);
  const location = (await ask('/report/x?async', { method: 'POST' })).headers.get('location')!;
  const waiting = await ask(location);
  assert.equal(waiting.status, 202);
  assert.deepEqual(await waiting.json(), { id: ID, status: 'waiting' });
  assert.equal(waiting.headers.get('cache-control'), 'no-store');
  later.end(ID, 'done', {
    status: 201,
    data: Buffer.from('done'),
    fields: JSON.stringify([
      ...[
        'Content-Type',
        'text/x',
        'X-Own',
        '1',
        'X-Own',
        '2',
        'Set-Cookie',
        'a=b',
        'Cache-Control',
        'public',
      ],
      ...['Content-Length', '99', 'Expires', 'Thu, 01 Jan 2099 00:00:00 GMT', 'Connection', 'close'],
    ]),
  });
  const done = await ask(location);
  assert.equal(done.status, 201);
  assert.equal(await done.text(), 'done');
  assert.equal(done.headers.get('content-type'), 'text/x');
  assert.equal(done.headers.get('x-own'), '1, 2');
  assert.equal(done.headers.get('cache-control'), 'no-store');
  assert.equal(done.headers.get('content-length'), '4');
  assert.equal(done.headers.get('expires'), null);
  const head = await ask(location, { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [201, '4', '']);
  assert.deepEqual(later.admitted.at(-1), ['report', 'for-its-answer', '127.0.0.1']);
});

test('an answer without a body, and one that the component itself gave of its failure', async (t) => {
  const { later, ask } = await scene(t);
  later.end(ID, 'done', { status: 204 });
  const empty = await ask(`/report/x?async=${ID}`);
  assert.deepEqual([empty.status, empty.headers.get('content-length')], [204, null]);
  const error = { code: 'handler-error', message: 'It answered with the status 500.' };
  later.end(ID, 'failed', { status: 500, data: Buffer.from('its own words'), error });
  const failed = await ask(`/report/x?async=${ID}`);
  assert.deepEqual([failed.status, await failed.text()], [500, 'its own words']);
});

test('of what failed otherwise a problem document, even where half of an answer had come', async (t) => {
  const { later, ask } = await scene(t);
  for (const [outcome, status, code, expected] of [
    ['timeout', 0, 'timeout', 504],
    ['crashed', 200, 'instance-crashed', 502],
    ['handler-error', 0, 'handler-error', 500],
    ['handler-error', 0, 'no-such-code', 500],
  ] as const) {
    later.end(ID, 'failed', { outcome, status, error: { code, message: 'Why.' }, data: Buffer.from('half') });
    const response = await ask(`/report/x?async=${ID}`);
    assert.equal(response.status, expected, code);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    assert.equal(response.headers.get('cache-control'), 'no-store');
  }
  later.end(ID, 'done', { status: 200, error: { code: 'call-too-large', message: 'Not kept.' } });
  const gone = await ask(`/report/x?async=${ID}`);
  assert.equal(gone.status, 500);
  assert.match(await gone.text(), /call-too-large/);
});

test('an id that is none, or another’s, is not found', async (t) => {
  const { later, ask } = await scene(t);
  later.keep(ID, { component: 'other' });
  later.keep(`${ID}call`, { kind: 'call' });
  for (const id of [ID, `${ID}call`, 'a_0123456789abcdefunknown']) {
    const response = await ask(`/report/x?async=${id}`);
    assert.equal(response.status, 404, id);
    assert.match(await response.text(), /not-found/);
  }
  assert.equal((await ask(`/other/x?async=${ID}`)).status, 202);
  const before = later.looked.length;
  for (const id of ['short', 'x'.repeat(65), '%00%00%00%00%00%00', "' OR 1=1 --------"])
    assert.equal((await ask(`/report/x?async=${id}`)).status, 404, id);
  assert.equal(later.looked.length, before, 'what is no id is not looked for');
});

test('limits hold for asking, and for asking after it', async (t) => {
  const { later, ask } = await scene(t);
  later.refusal = new FulcrumError('rate-limited', 'Too often.', { retryAfterS: 7 });
  for (const target of ['/report/x?async', `/report/x?async=${ID}`]) {
    const response = await ask(target);
    assert.deepEqual([response.status, response.headers.get('retry-after')], [429, '7']);
  }
  assert.equal(later.orders.length + later.looked.length, 0);
});

test('a body larger than is kept: 413, whatever the route takes; a route that takes less counts', async (t) => {
  const { fixture, later, ask } = await scene(t);
  const open = { async: { open: true } };
  const routes = [{ path: '/report/*', bodyLimitBytes: 10 * MB }];
  fixture.runs('report', routes, answering(200, [], 'at once'), null, open);
  fixture.runs('other', [{ path: '/other/*', bodyLimitBytes: 10 }], answering(200, [], ''), null, open);
  const large = await ask('/report/x?async', { method: 'POST', body: 'x'.repeat(MB + 1) });
  assert.equal(large.status, 413);
  assert.match(await large.text(), /asked for asynchronously may have a body of 1 MB at most/);
  assert.equal((await ask('/report/x', { method: 'POST', body: 'x'.repeat(MB + 1) })).status, 200);
  assert.equal((await ask('/report/x?async', { method: 'POST', body: 'x'.repeat(MB) })).status, 202);
  assert.equal((await ask('/other/x?async', { method: 'POST', body: 'x'.repeat(11) })).status, 413);
  const client = await fixture.connect();
  client.socket.write('POST /report/x?async HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
  for (let i = 0; i < 17; i++) client.socket.write(chunk);
  assert.match(await client.rest(), /^HTTP\/1\.1 413 [^]*asynchronously/);
  assert.equal(later.orders.length, 1);
});

test('what cannot be kept is refused with 503, and what nobody foresaw with 500', async (t) => {
  const { later, ask } = await scene(t);
  for (const [failure, status] of [
    [new FulcrumError('store-failed', 'The disk is full.'), 503],
    [new Error('odd'), 500],
  ] as const) {
    later.failure = failure;
    assert.equal((await ask('/report/x?async', { method: 'POST', body: 'x' })).status, status);
    assert.equal((await ask(`/report/x?async=${ID}`)).status, status);
  }
});

test('chunked, pipelined, HEAD, after 100 Continue and over HTTP/2', async (t) => {
  const { fixture, later } = await scene(t);
  const client = await fixture.connect();
  client.socket.write(
    'POST /report/1?async HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n1\r\n!\r\n0\r\n\r\n' +
      'HEAD /report/2?async HTTP/1.1\r\nHost: a\r\n\r\n' +
      'GET /report/3 HTTP/1.1\r\nHost: a\r\n\r\n' +
      'POST /report/4?async HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ntwo',
  );
  const text = await client.until(/waiting[^]*at once[^]*waiting/);
  assert.deepEqual(text.match(/HTTP\/1\.1 \d+/g), [
    'HTTP/1.1 202',
    'HTTP/1.1 202',
    'HTTP/1.1 200',
    'HTTP/1.1 202',
  ]);
  client.socket.write(
    'POST /report/5?async HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n',
  );
  await client.until(/HTTP\/1\.1 100 Continue/);
  client.socket.write('three');
  assert.match(await client.rest(), /100 Continue\r\n\r\nHTTP\/1\.1 202 /);
  const { port, ca } = await fixture.listenTls(t);
  const session = connect(`https://127.0.0.1:${port}`, { ca, servername: 'a.test' });
  t.after(() => session.destroy());
  const stream = session.request({ ':method': 'POST', ':path': '/report/6?async' });
  stream.end('four');
  let answer = '';
  for await (const chunk of stream.setEncoding('utf8')) answer += String(chunk);
  assert.match(answer, /"status":"waiting"/);
  const works = later.orders.map(({ work }) => {
    assert.ok(work.kind === 'request');
    return `${work.method} ${work.target} ${Buffer.from(work.body).toString()}`;
  });
  assert.deepEqual(works, [
    'POST /report/1 one!',
    'HEAD /report/2 ',
    'POST /report/4 two',
    'POST /report/5 three',
    'POST /report/6 four',
  ]);
});

test('where the app has a prefix the address has it, and the component sees none of it', async (t) => {
  const { fixture, later, ask } = await scene(t);
  const routes = [{ path: '/report/*', stripPrefix: true }];
  fixture.runs('report', routes, answering(200, [], ''), null, { async: { open: true } });
  const serving = fixture.release();
  fixture.gateway.setApps([{ id: 'shop', hosts: [], prefix: '/shop', serving, canary: null }]);
  const response = await ask('/shop/report/july?async');
  assert.equal(response.headers.get('location'), `/shop/report/july?async=${ID}`);
  const { work } = later.orders[0]!;
  assert.ok(work.kind === 'request');
  assert.equal(work.target, '/july');
  assert.equal(work.url, `${fixture.url}/shop/report/july`);
});

test('a path that would name another host is told with its own', async (t) => {
  const { fixture } = await scene(t);
  fixture.runs('report', ['/*'], answering(200, [], ''), null, { async: { open: true } });
  const answer = await fixture.raw(
    'GET //evil.test/x?async HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n',
  );
  assert.match(answer, /\r\nLocation: http:\/\/a\.test\/\/evil\.test\/x\?async=/i);
});

test('a page of another origin may read it where CORS lets it', async (t) => {
  const { fixture, ask } = await scene(t);
  const cors: CorsSettings = {
    ...{ origins: ['https://a.test'], methods: ['GET', 'POST'], headers: [] },
    ...{ exposedHeaders: ['location'], credentials: false, maxAgeS: 1 },
  };
  const more = { async: { open: true }, cors };
  fixture.runs('report', ['/report/*'], answering(200, [], ''), null, more);
  const response = await ask('/report/x?async', { headers: { origin: 'https://a.test' } });
  assert.equal(response.status, 202);
  assert.equal(response.headers.get('access-control-allow-origin'), 'https://a.test');
  assert.match(await response.text(), /waiting/);
});

test('a client that goes before its body is whole has asked for nothing', async (t) => {
  const { fixture, later, ask } = await scene(t);
  const client = await fixture.connect();
  client.socket.write('POST /report/x?async HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
  client.socket.destroy();
  await fixture.logged(1);
  assert.equal((await ask('/report/x?async')).status, 202);
  assert.equal(later.orders.length, 1);
});

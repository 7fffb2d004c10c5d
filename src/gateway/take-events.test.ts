import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { test, type TestContext } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import type { EventEntrance } from './event-door.ts';
import type { GatewayLimits } from './limits.ts';
import { answering } from './testing/fake-instance.ts';
import { gatewayFixture, type GatewayFixture } from './testing/gateway-fixture.ts';

const TOKEN = 'a-token-of-enough-letters';
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };
const LIMIT = 1_000;

interface Taken {
  readonly fields: readonly string[];
  readonly body: string;
}

class Entrance implements EventEntrance {
  readonly taken: Taken[] = [];
  readonly host: string | null;
  readonly path = '/events';
  readonly token = TOKEN;
  readonly bodyLimitBytes = LIMIT;
  failure: Error | null = null;

  constructor(host: string | null) {
    this.host = host;
  }

  take(fields: readonly string[], body: Uint8Array): Promise<string[]> {
    if (this.failure !== null) return Promise.reject(this.failure);
    this.taken.push({ fields, body: Buffer.from(body).toString() });
    return Promise.resolve([`e_${this.taken.length}`]);
  }
}

interface Scene {
  readonly fixture: GatewayFixture;
  readonly entrance: Entrance;
  post(init?: RequestInit, path?: string): Promise<Response>;
}

async function scene(
  t: TestContext,
  { host = null, limits = {} }: { host?: string | null; limits?: Partial<GatewayLimits> } = {},
): Promise<Scene> {
  const fixture = await gatewayFixture(t, { limits });
  const entrance = new Entrance(host);
  fixture.offers = { events: entrance };
  fixture.runs('shop', ['/*'], answering(200, [], 'the shop'));
  const post = (init: RequestInit = {}, path = '/events'): Promise<Response> =>
    fetch(`${fixture.url}${path}`, { method: 'POST', body: '{}', ...init });
  return { fixture, entrance, post };
}

function raw(lines: readonly string[], body: string): string {
  return `POST /events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${TOKEN}\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

test('events are taken with the token, and answered with 202 and their ids once they are kept', async (t) => {
  const { fixture, entrance, post } = await scene(t);
  const response = await post({
    body: '{"total":42}',
    headers: { ...AUTHORIZED, 'content-type': 'application/json', 'ce-id': 'A-1' },
  });
  assert.equal(response.status, 202);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.deepEqual(await response.json(), { ids: ['e_1'] });
  const [taken] = entrance.taken;
  assert.equal(taken!.fields[taken!.fields.indexOf('content-type') + 1], 'application/json');
  assert.equal(taken!.body, '{"total":42}');
  assert.equal(taken!.fields[taken!.fields.indexOf('ce-id') + 1], 'A-1');
  assert.equal(fixture.dispatcher.ran.length, 0, 'no component was asked');
  const [line] = await fixture.logged(1);
  assert.match(line!.text, /POST \/events 202/);
});

test('without the token nothing is read: 401 that says what is wanted, and no token is logged', async (t) => {
  const { fixture, entrance, post } = await scene(t);
  for (const [authorization, challenge] of [
    [null, 'Bearer realm="events"'],
    ['Bearer wrong', 'Bearer realm="events", error="invalid_token"'],
    [`Basic ${TOKEN}`, 'Bearer realm="events", error="invalid_token"'],
    [`Bearer ${TOKEN}x`, 'Bearer realm="events", error="invalid_token"'],
    ['Bearer', 'Bearer realm="events", error="invalid_token"'],
  ] as const) {
    const response = await post({ headers: authorization === null ? {} : { authorization } });
    assert.equal(response.status, 401, String(authorization));
    assert.equal(response.headers.get('www-authenticate'), challenge);
    assert.match(await response.text(), /errors\/unauthorized/);
  }
  const asking = await fixture.raw(
    'POST /events HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
  );
  assert.match(asking, /^HTTP\/1\.1 401 /);
  assert.equal(entrance.taken.length, 0);
  await post({ headers: AUTHORIZED });
  await post({}, `/events?access_token=${TOKEN}`);
  const lines = await fixture.logged(8);
  for (const { text, fields } of lines) assert.doesNotMatch(text + JSON.stringify(fields), new RegExp(TOKEN));
});

test('the scheme is written in any way, and the token may stand in the query', async (t) => {
  const { post } = await scene(t);
  assert.equal((await post({ headers: { authorization: `bearer  ${TOKEN} ` } })).status, 202);
  assert.equal((await post({}, `/events?a=1&access_token=${TOKEN}`)).status, 202);
  assert.equal((await post({}, '/events?access_token=wrong')).status, 401);
  const both = await post({ headers: AUTHORIZED }, `/events?access_token=${TOKEN}`);
  assert.equal(both.status, 400);
  assert.match(await both.text(), /in one place/);
});

test('OPTIONS lets whoever asks for it send events (CloudEvents webhooks, 4)', async (t) => {
  const { post } = await scene(t);
  const ask = (headers: Record<string, string>): Promise<Response> =>
    post({ method: 'OPTIONS', body: null, headers });
  const allowed = await ask({
    'webhook-request-origin': 'eventemitter.example.com',
    'webhook-request-rate': '120',
    'webhook-request-callback': 'https://example.com/confirm',
  });
  assert.equal(allowed.status, 200);
  assert.equal(allowed.headers.get('webhook-allowed-origin'), 'eventemitter.example.com');
  assert.equal(allowed.headers.get('webhook-allowed-rate'), '*');
  assert.equal(allowed.headers.get('allow'), 'POST, OPTIONS');
  const plain = await ask({});
  assert.equal(plain.status, 200);
  assert.equal(plain.headers.get('webhook-allowed-origin'), null);
  assert.equal((await ask({ 'webhook-request-origin': 'a b' })).status, 400);
});

test('nothing but POST and OPTIONS is done there', async (t) => {
  const { post } = await scene(t);
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH']) {
    const response = await post({ method, body: null, headers: AUTHORIZED });
    assert.equal(response.status, 405, method);
    assert.equal(response.headers.get('allow'), 'POST, OPTIONS');
  }
});

test('what is too large is refused: by what it says of itself before anything is read, else once it is', async (t) => {
  const { fixture, entrance, post } = await scene(t);
  const told = await post({ body: 'x'.repeat(LIMIT + 1), headers: AUTHORIZED });
  assert.equal(told.status, 413);
  assert.match(await told.text(), /Events may have 1000 B at most/);
  const client = await fixture.connect();
  client.socket.write(raw(['Transfer-Encoding: chunked'], `200\r\n${'x'.repeat(512)}\r\n`));
  client.socket.write(`200\r\n${'x'.repeat(512)}\r\n`);
  assert.match(await client.rest(), /^HTTP\/1\.1 413 [^]*body-too-large/);
  assert.equal((await post({ body: 'x'.repeat(LIMIT), headers: AUTHORIZED })).status, 202);
  assert.equal(entrance.taken.length, 1);
});

test('what is compressed is refused', async (t) => {
  const { entrance, post } = await scene(t);
  const zipped = await post({ headers: { ...AUTHORIZED, 'content-encoding': 'gzip' } });
  assert.equal(zipped.status, 415);
  assert.match(await zipped.text(), /media-type-unsupported/);
  assert.equal(entrance.taken.length, 0);
});

test('what cannot be kept: 503 and when to come again; what is wrong is told; what nobody foresaw is 500', async (t) => {
  const { entrance, post } = await scene(t);
  const failed = async (failure: Error): Promise<[number, string | null, string]> => {
    entrance.failure = failure;
    const response = await post({ headers: AUTHORIZED });
    return [response.status, response.headers.get('retry-after'), await response.text()];
  };
  const [full, retry] = await failed(new FulcrumError('store-failed', 'The disk is full.'));
  assert.deepEqual([full, retry], [503, '1']);
  const [wrong, , text] = await failed(
    new FulcrumError('event-invalid', 'The attribute "id": found nothing.'),
  );
  assert.equal(wrong, 400);
  assert.match(text, /found nothing/);
  const [odd, , hidden] = await failed(new Error('secret'));
  assert.equal(odd, 500);
  assert.doesNotMatch(hidden, /secret/);
});

test('its path is its alone, and all others are the components’', async (t) => {
  const { post } = await scene(t);
  for (const path of ['/events/', '/events/x', '/', '/event'])
    assert.equal(await (await post({ headers: AUTHORIZED }, path)).text(), 'the shop', path);
  assert.equal((await post({ headers: AUTHORIZED }, '/x/../events')).status, 202);
});

test('under one host, where it has one', async (t) => {
  const { fixture } = await scene(t, { host: 'events.test' });
  const ask = (host: string): Promise<string> =>
    fixture.raw(
      `POST /events HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    );
  assert.match(await ask('Events.test:80'), /^HTTP\/1\.1 202 /);
  assert.match(await ask('other.test'), /^HTTP\/1\.1 200 [^]*the shop/);
});

test('behind an app’s prefix', async (t) => {
  const { fixture, post } = await scene(t);
  const serving = fixture.release();
  fixture.gateway.setApps([{ id: 'shop', hosts: [], prefix: '/shop', serving, canary: null }]);
  assert.equal((await post({ headers: AUTHORIZED }, '/shop/events')).status, 202);
  assert.equal((await post({ headers: AUTHORIZED }, '/events')).status, 404);
});

test('chunked, pipelined, after 100 Continue and over HTTP/2', async (t) => {
  const { fixture, entrance } = await scene(t);
  const client = await fixture.connect();
  client.socket.write(
    raw(['Transfer-Encoding: chunked'], '3\r\none\r\n1\r\n!\r\n0\r\n\r\n') +
      raw(['Content-Length: 3'], 'two'),
  );
  await client.until(/e_1[^]*e_2/);
  client.socket.write(raw(['Expect: 100-continue', 'Content-Length: 5', 'Connection: close'], ''));
  await client.until(/HTTP\/1\.1 100 Continue/);
  client.socket.write('three');
  assert.match(await client.rest(), /100 Continue\r\n\r\nHTTP\/1\.1 202 [^]*e_3/);
  const { port, ca } = await fixture.listenTls(t);
  const session = connect(`https://127.0.0.1:${port}`, { ca, servername: 'a.test' });
  t.after(() => session.destroy());
  const stream = session.request({ ':method': 'POST', ':path': '/events', ...AUTHORIZED });
  stream.end('four');
  let answer = '';
  for await (const chunk of stream.setEncoding('utf8')) answer += String(chunk);
  assert.equal(answer, '{"ids":["e_4"]}');
  assert.deepEqual(
    entrance.taken.map(({ body }) => body),
    ['one!', 'two', 'three', 'four'],
  );
});

test('bodies that are read whole share one room: who finds none left comes again', async (t) => {
  const { fixture, entrance, post } = await scene(t, { limits: { maxGatheredBytes: 600 } });
  const slow = await fixture.connect();
  slow.socket.write(raw(['Content-Length: 510', 'Connection: close'], 'x'.repeat(500)));
  let refused = await post({ body: 'y'.repeat(200), headers: AUTHORIZED });
  // The first may not have been read yet.
  while (refused.status === 202) refused = await post({ body: 'y'.repeat(200), headers: AUTHORIZED });
  assert.equal(refused.status, 503);
  assert.equal(refused.headers.get('retry-after'), '1');
  slow.socket.write('x'.repeat(10));
  assert.match(await slow.rest(), /^HTTP\/1\.1 202 /);
  assert.equal(
    (await post({ body: 'y'.repeat(550), headers: AUTHORIZED })).status,
    202,
    'all of it is free again',
  );
  assert.equal(entrance.taken.at(-1)!.body.length, 550);
});

test('a client that goes before its body is whole has sent nothing', async (t) => {
  const { fixture, entrance, post } = await scene(t);
  const client = await fixture.connect();
  client.socket.write(raw(['Content-Length: 10'], 'half'));
  client.socket.destroy();
  const [line] = await fixture.logged(1);
  assert.match(line!.text, /499/);
  assert.equal((await post({ headers: AUTHORIZED })).status, 202);
  assert.deepEqual(
    entrance.taken.map(({ body }) => body),
    ['{}'],
  );
});

test('it is nothing that a WebSocket could be opened to', async (t) => {
  const { fixture } = await scene(t);
  const answer = await fixture.raw(
    'GET /events HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  assert.match(answer, /^HTTP\/1\.1 501 [^]*upgrade-unsupported/);
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import type { CancelSignal } from '../base/cancel.ts';
import { FulcrumError } from '../base/errors.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { answering, failed, OK, readBody } from './testing/fake-instance.ts';
import { aborted, GatewayFixture, gatewayFixture } from './testing/gateway-fixture.ts';
import type { HttpExchange, RequestHead } from '../model/http.ts';
import { spanOf } from './trace.ts';

interface ProblemDocument {
  type: string;
  status: number;
  title: string;
  detail: string;
  requestId: string;
  component?: string;
}

async function problem(response: Response): Promise<ProblemDocument> {
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const document = (await response.json()) as ProblemDocument;
  assert.equal(document.requestId, response.headers.get('x-request-id'));
  assert.equal(document.status, response.status);
  return document;
}

function field(head: RequestHead | undefined, name: string): string | undefined {
  const values = head!.headers.filter((_, i) => i % 2 === 1 && head!.headers[i - 1]!.toLowerCase() === name);
  return values.length === 0 ? undefined : values.join(' | ');
}

/** Keeps the head of each request and answers 204. */
function recording(heads: RequestHead[]) {
  return {
    http: ({ head, response }: HttpExchange) => {
      heads.push(head);
      response.head({ status: 204, headers: [] });
      response.end();
      return Promise.resolve(OK);
    },
  };
}

test('carries a request to its component and the answer back, with one line in the log', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', ['/*'], {
    http: async (exchange) => {
      const body = await readBody(exchange);
      exchange.response.head({
        status: 201,
        headers: [
          'Content-Type',
          'text/plain',
          'Set-Cookie',
          'a=1',
          'Set-Cookie',
          'b=2',
          'X-Request-Id',
          'theirs',
        ],
      });
      exchange.response.data(
        Buffer.from(`${exchange.head.method} ${exchange.head.target} ${body.toString()}`),
      );
      exchange.response.end();
      return OK;
    },
  });
  const response = await fetch(`${fixture.url}/cart?token=secret`, {
    method: 'POST',
    body: 'hello',
    headers: { 'x-request-id': 'mine', authorization: 'Bearer secret' },
  });
  assert.equal(response.status, 201);
  assert.equal(await response.text(), 'POST /cart?token=secret hello');
  assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2']);
  assert.match(response.headers.get('date') ?? '', /GMT$/);
  assert.equal(response.headers.get('server-timing'), null);
  const id = response.headers.get('x-request-id');
  const [ran] = fixture.dispatcher.ran;
  assert.deepEqual(
    [ran!.component, ran!.seed.requestId, ran!.seed.trigger, ran!.status, ran!.answered, ran!.end],
    ['shop', id, 'route', 201, true, OK],
  );
  const [line] = await fixture.logged(1);
  assert.equal(line!.requestId, id);
  assert.deepEqual(
    [line!.component, line!.stream, line!.level, line!.instance],
    ['shop', 'platform', 'info', 'i_fake'],
  );
  const { durationMs, ...fields } = line!.fields!;
  assert.ok(Number(durationMs) >= 0);
  assert.deepEqual(fields, {
    method: 'POST',
    path: '/cart',
    status: 201,
    waitedMs: 7,
    cold: true,
    bytesOut: 29,
    span: spanOf(ran!.seed.traceparent),
  });
  assert.doesNotMatch(JSON.stringify(line), /secret/);
});

test('tells the component where the request came from, whatever the client says', async (t) => {
  const fixture = await gatewayFixture(t);
  const heads: RequestHead[] = [];
  fixture.runs('shop', ['/*'], recording(heads));
  const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  await fixture.raw(
    `GET /a?b=c HTTP/1.1\r\nHost: Shop.local:1\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\n` +
      `X-Request-Id: mine\r\ntraceparent: ${trace}\r\ntracestate: a=1\r\nTE: trailers\r\nProxy-Authorization: x\r\n` +
      `Connection: close, X-Hop\r\nX-Hop: 1\r\nX-Kept: 2\r\n\r\n`,
  );
  await fetch(`${fixture.url}/`, { headers: { traceparent: 'broken', tracestate: 'a=1' } });
  const [first, second] = heads;
  assert.equal(first!.url, 'http://Shop.local:1/a?b=c');
  assert.equal(first!.target, '/a?b=c');
  assert.deepEqual(first!.headers, [
    ...['Host', 'Shop.local:1', 'X-Kept', '2', 'X-Request-Id', fixture.dispatcher.ran[0]!.seed.requestId],
    ...['X-Forwarded-For', '127.0.0.1', 'X-Forwarded-Host', 'Shop.local:1', 'X-Forwarded-Proto', 'http'],
    ...[
      'Forwarded',
      'for=127.0.0.1;host="Shop.local:1";proto=http',
      'Via',
      '1.1 fulcrum',
      'traceparent',
      trace,
      'tracestate',
      'a=1',
    ],
  ]);
  assert.equal(fixture.dispatcher.ran[0]!.seed.traceparent, trace);
  assert.match(field(second, 'traceparent') ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  assert.equal(field(second, 'tracestate'), undefined);
});

test('believes a trusted proxy about scheme and host, and routes by that host', async (t) => {
  const fixture = await gatewayFixture(t, { settings: { trustedProxies: ['127.0.0.1'], cors: null } });
  const heads: RequestHead[] = [];
  fixture.runs('shop', [{ host: 'shop.io', path: '/*' }], recording(heads));
  const headers = {
    'x-forwarded-for': '198.51.100.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'shop.io',
  };
  assert.equal((await fetch(`${fixture.url}/x`, { headers })).status, 204);
  assert.equal(heads[0]!.url, 'https://shop.io/x');
  assert.equal(field(heads[0], 'x-forwarded-for'), '198.51.100.1, 127.0.0.1');
  assert.equal((await fetch(`${fixture.url}/x`)).status, 404);
});

test('strips a prefix where the route says so', async (t) => {
  const fixture = await gatewayFixture(t);
  const heads: RequestHead[] = [];
  fixture.runs('api', [{ path: '/api/*', stripPrefix: true }], recording(heads));
  for (const path of ['/api/users?x=1', '/api?x=1', '/api/']) await fetch(fixture.url + path);
  assert.deepEqual(
    heads.map((head) => head.target),
    ['/users?x=1', '/?x=1', '/'],
  );
  assert.equal(heads[0]!.url, `${fixture.url}/api/users?x=1`);
});

test('what no component has a route for is 404, and is logged too', async (t) => {
  const fixture = await gatewayFixture(t);
  const document = await problem(await fetch(`${fixture.url}/nowhere?x=secret`));
  assert.equal(document.type, 'https://fulcrum.dev/errors/route-not-found');
  assert.equal(document.component, undefined);
  const head = await fetch(`${fixture.url}/nowhere`, { method: 'HEAD' });
  assert.deepEqual([head.status, await head.text()], [404, '']);
  const lines = await fixture.logged(2);
  assert.deepEqual(
    [lines[0]!.component, lines[0]!.fields!['path'], lines[0]!.fields!['status']],
    ['-', '/nowhere', 404],
  );
});

test('another app is served from the next request on; what is in flight keeps its own', async (t) => {
  const fixture = await gatewayFixture(t);
  let finish = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    fixture.runs('old', ['/*'], {
      http: async ({ response }) => {
        resolve();
        await new Promise<void>((done) => void (finish = done));
        response.head({ status: 200, headers: [] });
        response.data(Buffer.from('old'));
        response.end();
        return OK;
      },
    });
  });
  const first = fetch(fixture.url);
  await begun;
  fixture.setOnly(fixture.release({ components: new Map() }));
  assert.equal((await fetch(fixture.url)).status, 404);
  finish();
  assert.equal(await (await first).text(), 'old');
  assert.throws(
    () => fixture.setOnly(fixture.release({ gateway: { trustedProxies: ['x'], cors: null } })),
    /trustedProxies/,
  );
});

const ENDS: [FulcrumError, number][] = [
  [new FulcrumError('handler-error', 'TypeError: x'), 500],
  [new FulcrumError('handler-missing', 'No fetch.'), 501],
  [new FulcrumError('instance-crashed', 'Exit code 1.'), 502],
  [new FulcrumError('timeout', 'Too late.'), 504],
];
for (const [error, status] of ENDS) {
  test(`an instance that ends with ${error.code} before its answer: ${status}`, async (t) => {
    const fixture = await gatewayFixture(t);
    fixture.runs('shop', ['/*'], { http: () => Promise.resolve(failed('crashed', error)) });
    const response = await fetch(fixture.url);
    assert.equal(response.status, status);
    const document = await problem(response);
    assert.deepEqual(
      [document.type, document.component],
      [`https://fulcrum.dev/errors/${error.code}`, 'shop'],
    );
    assert.equal(fixture.dispatcher.ran[0]!.status, status);
    const [line] = await fixture.logged(1);
    assert.deepEqual([line!.level, line!.fields!['error']], ['error', error.code]);
    assert.ok(line!.text.includes(error.message));
  });
}

test('no slot: the refusal is told, with when to come back', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', ['/*'], answering(200, []));
  fixture.dispatcher.refusal = new FulcrumError('overloaded', 'Queue full.', { retryAfterS: 4 });
  const response = await fetch(fixture.url);
  assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '4']);
  assert.equal((await problem(response)).detail, 'Queue full.');
});

test('a dispatcher that throws leaves nobody waiting', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', ['/*'], answering(200, []));
  fixture.dispatcher.behaviours.clear();
  const response = await fetch(fixture.url);
  assert.equal(response.status, 500);
  assert.equal((await problem(response)).type, 'https://fulcrum.dev/errors/internal');
});

test('an instance that fails in the middle of its answer: the connection is cut, never ended', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', ['/*'], {
    http: ({ response }) => {
      response.head({ status: 200, headers: [] });
      response.data(Buffer.from('half'));
      return Promise.resolve(failed('crashed', new FulcrumError('instance-crashed', 'Gone.')));
    },
  });
  await assert.rejects(fetch(fixture.url).then((response) => response.text()));
  const [line] = await fixture.logged(1);
  assert.deepEqual([line!.fields!['status'], line!.fields!['error']], [200, 'instance-crashed']);
  // HTTP/1.0 takes an orderly close for the end of the answer: it must see a reset.
  const old = await fixture.connect();
  old.socket.write('GET / HTTP/1.0\r\n\r\n');
  await old.rest();
  assert.equal((old.error as { code?: string } | null)?.code, 'ECONNRESET');
});

test('development: Server-Timing tells queue, start, handler and whether it was cold', async (t) => {
  const fixture = await gatewayFixture(t, { dev: true });
  fixture.runs('shop', ['/*'], answering(200, ['Server-Timing', 'db;dur=1']));
  const timing = (await fetch(fixture.url)).headers.get('server-timing');
  assert.match(
    timing ?? '',
    /^db;dur=1, queue;dur=2\.0, start;dur=5\.0, handler;dur=\d+\.\d, cold;desc=yes$/,
  );
});

test('development: a problem document tells what the component did wrong', async (t) => {
  const fixture = await gatewayFixture(t, { dev: true });
  const error = new FulcrumError('handler-error', 'TypeError: x is undefined');
  fixture.runs('shop', ['/*'], { http: () => Promise.resolve(failed('handler-error', error)) });
  assert.equal((await problem(await fetch(fixture.url))).detail, 'TypeError: x is undefined');
});

test('CORS: the gateway answers preflights and sets the fields of every answer', async (t) => {
  const cors = {
    origins: ['https://shop.io'],
    methods: ['PUT'],
    headers: ['x-a'],
    exposedHeaders: [],
    credentials: false,
    maxAgeS: 60,
  };
  const fixture = await gatewayFixture(t, { settings: { trustedProxies: [], cors } });
  fixture.runs('shop', ['/shop/*'], answering(200, ['Access-Control-Allow-Origin', '*', 'Vary', 'Accept']));
  const ask = { origin: 'https://shop.io', 'access-control-request-method': 'PUT' };
  const preflight = await fetch(`${fixture.url}/shop`, { method: 'OPTIONS', headers: ask });
  assert.deepEqual(
    [preflight.status, preflight.headers.get('access-control-allow-methods'), fixture.dispatcher.ran.length],
    [204, 'PUT', 0],
  );
  const simple = await fetch(`${fixture.url}/shop`, { headers: { origin: 'https://shop.io' } });
  assert.equal(simple.headers.get('access-control-allow-origin'), 'https://shop.io');
  assert.equal(simple.headers.get('vary'), 'Accept, Origin');
  const stranger = await fetch(`${fixture.url}/shop`, { headers: { origin: 'https://evil.io' } });
  assert.equal(stranger.headers.get('access-control-allow-origin'), null);
  fixture.dispatcher.refusal = new FulcrumError('overloaded', 'Full.');
  const refused = await fetch(`${fixture.url}/shop`, { headers: { origin: 'https://shop.io' } });
  assert.equal(refused.headers.get('access-control-allow-origin'), 'https://shop.io');
  const plain = await fetch(`${fixture.url}/shop`, { method: 'OPTIONS' });
  assert.equal(plain.status, 503, 'an OPTIONS that is no preflight goes to the component');
  const lines = await fixture.logged(5);
  assert.deepEqual([lines[0]!.component, lines[0]!.fields!['status']], ['shop', 204]);
});

test('a port that is in use is told as such', async (t) => {
  const fixture = await gatewayFixture(t);
  const other = new GatewayFixture({});
  const taken = { port: fixture.port, host: '127.0.0.1' };
  await assert.rejects(other.gateway.listen(taken), (error: FulcrumError) => {
    assert.equal(error.code, 'port-in-use');
    assert.ok(error.message.includes(String(fixture.port)));
    return true;
  });
});

test('close: what is in flight ends, with Connection: close, and idle connections go', async (t) => {
  const fixture = await gatewayFixture(t);
  const exchanges: HttpExchange[] = [];
  const ends: (() => void)[] = [];
  fixture.runs('slow', ['/*'], {
    http: async (exchange) => {
      exchanges.push(exchange);
      if (exchange.head.target === '/streaming') exchange.response.head({ status: 200, headers: [] });
      await new Promise<void>((resolve) => void ends.push(resolve));
      if (exchange.head.target === '/waiting') exchange.response.head({ status: 200, headers: [] });
      exchange.response.data(Buffer.from('whole'));
      exchange.response.end();
      return OK;
    },
  });
  const [idle, waiting, streaming] = [
    await fixture.connect(),
    await fixture.connect(),
    await fixture.connect(),
  ];
  waiting.socket.write('GET /waiting HTTP/1.1\r\nHost: a\r\n\r\n');
  streaming.socket.write('GET /streaming HTTP/1.1\r\nHost: a\r\n\r\n');
  await streaming.until(/\r\n\r\n/);
  while (exchanges.length < 2) await new Promise((resolve) => void setImmediate(resolve));
  const closed = fixture.gateway.close(60_000);
  assert.equal(await idle.rest(), '');
  await assert.rejects(fetch(fixture.url));
  for (const end of ends) end();
  assert.match(await waiting.rest(), /Connection: close[^]*whole/i);
  assert.match(await streaming.rest(), /whole\r\n0\r\n\r\n$/);
  await closed;
});

test('close: an answer that is handed over but not yet sent is sent whole', async (t) => {
  const fixture = await gatewayFixture(t);
  const big = Buffer.alloc(16 * 1024 * 1024, 'x');
  fixture.runs('shop', ['/*'], answering(200, ['Content-Length', String(big.length)], big));
  const client = await fixture.connect();
  client.socket.pause();
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await fixture.logged(1);
  const closed = fixture.gateway.close(60_000);
  client.socket.resume();
  const text = await client.rest();
  assert.equal(text.length - text.indexOf('\r\n\r\n') - 4, big.length);
  await closed;
});

test('close: what is not done in time is cut, WebSockets too', async (t) => {
  const fixture = await gatewayFixture(t);
  let signal: CancelSignal | null = null;
  fixture.runs('slow', ['/*'], {
    http: ({ context }) =>
      new Promise((resolve) => {
        signal = context.signal;
        context.signal.addEventListener('abort', () => {
          resolve(failed('cancelled', context.signal.reason as FulcrumError));
        });
      }),
    upgrade: async ({ socket }) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
      await once(socket, 'close');
      return OK;
    },
  });
  const client = await fixture.connect();
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const upgraded = await fixture.connect();
  upgraded.socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await upgraded.until(/101/);
  while (signal === null) await new Promise((resolve) => void setImmediate(resolve));
  assert.equal(fixture.gateway.connections, 2);
  await fixture.gateway.close(20);
  assert.equal(await client.rest(), '');
  assert.equal((signal as CancelSignal).aborted, true);
  assert.equal(fixture.gateway.connections, 0);
});

test('close without any time to drain cuts at once, by no timer', { timeout: 20_000 }, async (t) => {
  const fixture = await gatewayFixture(t, { clock: new FakeClock() });
  const reached = new Promise<void>((resolve) => {
    fixture.runs('slow', ['/*'], {
      http: async ({ context }) => {
        resolve();
        await aborted(context.signal);
        return failed('cancelled', context.signal.reason as FulcrumError);
      },
    });
  });
  const client = await fixture.connect();
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await reached;
  await fixture.gateway.close(0);
  assert.equal(await client.rest(), '');
  assert.equal(fixture.gateway.connections, 0);
});

test('a keep-alive connection carries one request after the other', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', ['/*'], answering(200, ['Content-Length', '2'], 'ok'));
  const client = await fixture.connect();
  for (const n of [1, 2, 3]) {
    client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc');
    await client.until(new RegExp(`(?:[^]*?200 OK[^]*?ok){${n}}`));
  }
  client.socket.destroy();
});

test('pipelined requests are served one after the other, in order', async (t) => {
  const fixture = await gatewayFixture(t);
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  fixture.runs('shop', ['/*'], {
    http: async ({ head, response }) => {
      begun.push(head.target);
      await new Promise<void>((resolve) => void ends.push(resolve));
      response.head({ status: 200, headers: ['X-Path', head.target] });
      response.end();
      return OK;
    },
  });
  const one = (n: number): string =>
    `GET /${n} HTTP/1.1\r\nHost: a\r\n${n === 2 ? 'Connection: close\r\n' : ''}\r\n`;
  const client = await fixture.connect();
  client.socket.write(one(0) + one(1) + one(2));
  for (const n of [0, 1, 2]) {
    while (ends.length <= n) await new Promise((resolve) => void setImmediate(resolve));
    assert.deepEqual(begun, ['/0', '/1', '/2'].slice(0, n + 1));
    ends[n]!();
  }
  assert.match(
    await client.rest(),
    /200 OK[^]*X-Path: \/0[^]*200 OK[^]*X-Path: \/1[^]*200 OK[^]*X-Path: \/2/,
  );
});

test('a client that asks and asks, and reads nothing, is not served for ever', async (t) => {
  const fixture = await gatewayFixture(t);
  const big = Buffer.alloc(8 * 1024 * 1024, 'x');
  fixture.runs('shop', ['/*'], answering(200, ['Content-Length', String(big.length)], big));
  const client = await fixture.connect();
  client.socket.pause();
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(50));
  await fixture.logged(1);
  assert.equal((await fetch(fixture.url)).status, 200);
  assert.ok(fixture.dispatcher.ran.length < 5, `one, what the system's buffers took, and ours`);
  client.socket.destroy();
});

test('a method that HTTP does not define passes like any other', async (t) => {
  const fixture = await gatewayFixture(t);
  const heads: RequestHead[] = [];
  fixture.runs('shop', ['/*'], recording(heads));
  const request = httpRequest(fixture.url, { method: 'PROPFIND' });
  request.end();
  await once(request, 'response');
  assert.equal(heads[0]!.method, 'PROPFIND');
  request.destroy();
});

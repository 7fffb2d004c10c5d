import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answering, OK } from './testing/fake-instance.ts';
import { gatewayFixture } from './testing/gateway-fixture.ts';

const POST = 'POST / HTTP/1.1\r\nHost: a\r\n';
const table: [string, string, number, string][] = [
  ['no HTTP at all', 'hello\r\n\r\n', 400, 'bad-request'],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', 400, 'bad-request'],
  ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400, 'bad-request'],
  ['a host that is none', 'GET / HTTP/1.1\r\nHost: a/b@c\r\n\r\n', 400, 'bad-request'],
  ['a target that is none', 'GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-request'],
  [
    'length and chunks',
    `${POST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
    'bad-request',
  ],
  [
    'chunks and length',
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n`,
    400,
    'bad-request',
  ],
  ['two lengths', `${POST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`, 400, 'bad-request'],
  ['a length that is none', `${POST}Content-Length: +3\r\n\r\nabc`, 400, 'bad-request'],
  ['another coding', `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 501, 'coding-unsupported'],
  [
    'chunked that is not last',
    `${POST}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
    400,
    'bad-request',
  ],
  [
    'chunks in HTTP/1.0',
    'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
    'bad-request',
  ],
  ['a space before the colon', 'GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n', 400, 'bad-request'],
  ['a folded field', 'GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n', 400, 'bad-request'],
  ['bare line feeds', 'GET / HTTP/1.1\nHost: a\n\n', 400, 'bad-request'],
  [
    'a header too long',
    `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    431,
    'headers-too-large',
  ],
  ['a target too long', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414, 'target-too-long'],
  ['too many fields', `GET / HTTP/1.1\r\nHost: a\r\n${'a:\r\n'.repeat(300)}\r\n`, 431, 'headers-too-large'],
  ['CONNECT', 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n', 405, 'method-not-allowed'],
];
for (const [what, text, status, code] of table) {
  test(`${what}: ${status}, one line in the log, and nothing reaches a component`, async (t) => {
    const fixture = await gatewayFixture(t, { limits: { lingerMs: 30 } });
    fixture.runs('shop', ['/*'], answering(200, [], 'reached'));
    const answer = await fixture.raw(text);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.equal(answer.match(/^HTTP\/1\.1 \d/gm)?.length, 1, 'one answer');
    assert.match(answer, new RegExp(`errors/${code}"`));
    assert.match(answer, /Connection: close/i);
    assert.equal(fixture.dispatcher.ran.length, 0);
    const lines = await fixture.logged(1);
    assert.deepEqual(
      [lines.length, lines[0]!.fields!['status'], lines[0]!.fields!['error']],
      [1, status, code],
    );
    assert.match(answer, new RegExp(`X-Request-Id: ${lines[0]!.requestId}`));
  });
}

test('a header that does not arrive: 408', async (t) => {
  const fixture = await gatewayFixture(t, { limits: { headersTimeoutMs: 80 } });
  assert.match(await fixture.raw('GET / HTTP/1.1\r\nHost: a\r\nX:'), /^HTTP\/1\.1 408 [^]*body-timeout/);
});

test('a connection that never says anything is closed without a word', async (t) => {
  const fixture = await gatewayFixture(t, { limits: { headersTimeoutMs: 80 } });
  assert.equal(await (await fixture.connect()).rest(), '');
  assert.equal(fixture.lines.length, 0);
});

test('a body whose chunks are none: the instance is told, the client gets 400', async (t) => {
  const fixture = await gatewayFixture(t);
  let told: unknown = null;
  fixture.runs('shop', ['/*'], {
    http: async ({ body }) => {
      told = await new Promise((fail) => body!.read({ data: () => undefined, end: () => undefined, fail }));
      return OK;
    },
  });
  const text = await fixture.raw(`${POST}Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n`);
  assert.match(text, /^HTTP\/1\.1 400 [^]*Connection: close/i);
  assert.equal((told as { code: string }).code, 'bad-request');
});

test('nonsense behind a sound request: that one is answered, the nonsense refused, and the connection ends', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('other', ['/other'], answering(200, [], 'fine'));
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => void (release = resolve));
  let reach = (): void => undefined;
  const reached = new Promise<void>((resolve) => void (reach = resolve));
  fixture.runs('shop', ['/*'], {
    http: async ({ response }) => {
      reach();
      await released;
      response.head({ status: 200, headers: [] });
      response.data(Buffer.from('sound'));
      response.end();
      return OK;
    },
  });
  const client = await fixture.connect();
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await reached;
  await new Promise((written) => void client.socket.write('\0\0nonsense\r\n\r\n', written));
  // What lies in the gateway's socket is read before a request that comes after it on another.
  assert.equal((await fetch(`${fixture.url}/other`)).status, 200);
  release();
  const text = await client.rest();
  assert.match(text, /^HTTP\/1\.1 200 OK[^]*sound[^]*HTTP\/1\.1 400 [^]*Connection: close/i);
  assert.equal(text.match(/HTTP\/1\.1 \d/g)?.length, 2);
});

test('a client that resets its connection disturbs nobody', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', ['/*'], answering(200, [], 'fine'));
  const client = await fixture.connect();
  client.socket.write('GET / HTTP/1.1\r\nHost');
  client.socket.resetAndDestroy();
  await client.rest();
  assert.equal(await (await fetch(fixture.url)).text(), 'fine');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answering, OK } from './testing/fake-instance.ts';
import { gatewayFixture } from './testing/gateway-fixture.ts';
import type { ResponseSink } from '../model/http.ts';

const CLOSE = 'Host: a\r\nConnection: close\r\n\r\n';

test('a length that the component knows is passed on; where it does not, the gateway may', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('known', ['/known'], answering(200, ['content-length', '5'], 'he', 'llo'));
  fixture.runs('unknown', ['/unknown'], answering(200, ['Date', 'yesterday'], 'he', '', 'llo'));
  const known = await fixture.raw(`GET /known HTTP/1.1\r\n${CLOSE}`);
  assert.match(known, /Content-Length: 5\r\n/);
  assert.doesNotMatch(known, /Transfer-Encoding/i);
  assert.match(known, /\r\n\r\nhello$/);
  const unknown = await fixture.raw(`GET /unknown HTTP/1.1\r\n${CLOSE}`);
  assert.match(unknown, /Content-Length: 5\r\n[^]*\r\n\r\nhello$/, 'all of it was there at once');
  assert.deepEqual(unknown.match(/^Date: .*$/gm), ['Date: yesterday']);
});

test('an answer of unknown length that comes in pieces is chunked', async (t) => {
  const fixture = await gatewayFixture(t);
  let more = (): void => undefined;
  fixture.runs('shop', ['/*'], {
    http: async ({ response }) => {
      response.head({ status: 200, headers: [] });
      response.data(Buffer.from('he'));
      await new Promise<void>((resolve) => void (more = resolve));
      response.data(Buffer.alloc(20_000, 'l'));
      response.end();
      return OK;
    },
  });
  const client = await fixture.connect();
  client.socket.write(`GET / HTTP/1.1\r\n${CLOSE}`);
  await client.until(/\r\n2\r\nhe\r\n$/);
  more();
  assert.match(await client.rest(), /Transfer-Encoding: chunked\r\n[^]*\r\n4e20\r\nl{20000}\r\n0\r\n\r\n$/);
});

test('HTTP/1.0 gets no chunks', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', ['/*'], answering(200, [], 'hello'));
  const text = await fixture.raw('GET / HTTP/1.0\r\n\r\n');
  assert.doesNotMatch(text, /chunked/i);
  assert.match(text, /\r\n\r\nhello$/);
});

const BODILESS: [string, number, string[], RegExp][] = [
  ['HEAD', 200, ['Content-Length', '5'], /Content-Length: 5\r\n/],
  ['GET', 204, ['Content-Length', '5'], /^(?![^]*Content-Length)/],
  ['GET', 205, ['Content-Length', '5'], /Content-Length: 0\r\n/],
  ['GET', 205, [], /Content-Length: 0\r\n/],
  ['GET', 304, ['Content-Length', '5'], /Content-Length: 5\r\n/],
];
for (const [method, status, headers, expected] of BODILESS) {
  test(`${method} ${status} has no body, whatever the component writes`, async (t) => {
    const fixture = await gatewayFixture(t);
    fixture.runs('shop', ['/*'], answering(status, headers, 'hello'));
    const text = await fixture.raw(`${method} / HTTP/1.1\r\n${CLOSE}`);
    assert.match(text, expected);
    assert.match(text, /\r\n\r\n$/);
    assert.doesNotMatch(text, /hello|chunked/);
    assert.equal((await fixture.logged(1))[0]!.fields!['bytesOut'], 0);
  });
}

const INVALID: [string, (sink: ResponseSink) => void][] = [
  ['a field name with a space', (sink) => sink.head({ status: 200, headers: ['Bad Name', 'x'] })],
  [
    'a value with a line break',
    (sink) => sink.head({ status: 200, headers: ['X-A', 'a\r\nSet-Cookie: evil=1'] }),
  ],
  ['an interim status', (sink) => sink.head({ status: 100, headers: [] })],
  ['a body without a status', (sink) => void sink.data(Buffer.from('x'))],
  ['an end without a status', (sink) => sink.end()],
  ['nothing', () => undefined],
];
for (const [what, answer] of INVALID) {
  test(`a component that answers with ${what}: 502, and the next request is served`, async (t) => {
    const fixture = await gatewayFixture(t);
    fixture.runs('shop', ['/*'], {
      http: ({ response }) => {
        answer(response);
        response.data(Buffer.from('more'));
        response.end();
        return Promise.resolve(OK);
      },
    });
    if (what === 'nothing') fixture.runs('shop', ['/*'], { http: () => Promise.resolve(OK) });
    const response = await fetch(fixture.url);
    assert.deepEqual([response.status, response.statusText], [502, 'Bad Gateway']);
    assert.match(await response.text(), /bad-response/);
    const [ran] = fixture.dispatcher.ran;
    assert.deepEqual(
      [ran!.end!.outcome, ran!.end!.error!.code, ran!.status],
      ['bad-response', 'bad-response', 502],
    );
    assert.equal((await fixture.logged(1)).length, 1);
    fixture.runs('shop', ['/*'], answering(200, [], 'fine'));
    assert.equal(await (await fetch(fixture.url)).text(), 'fine');
  });
}

const BROKEN: [string, (sink: ResponseSink) => void][] = [
  ['more than it promised', (sink) => void sink.data(Buffer.from('hello, world'))],
  ['less than it promised', (sink) => void sink.data(Buffer.from('he'))],
  ['a second head', (sink) => sink.head({ status: 200, headers: [] })],
];
for (const [what, answer] of BROKEN) {
  test(`a component that sends ${what}: the connection is cut, and the log says why`, async (t) => {
    const fixture = await gatewayFixture(t);
    fixture.runs('shop', ['/*'], {
      http: ({ response }) => {
        response.head({ status: 200, headers: ['Content-Length', '5'] });
        answer(response);
        response.end();
        return Promise.resolve(OK);
      },
    });
    await assert.rejects(fetch(fixture.url).then((response) => response.text()));
    const [line] = await fixture.logged(1);
    assert.deepEqual([line!.fields!['error'], line!.level], ['bad-response', 'error']);
    assert.equal(fixture.dispatcher.ran[0]!.end!.outcome, 'bad-response');
  });
}

test('an answer that never ends: the connection is cut', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', ['/*'], {
    http: ({ response }) => {
      response.head({ status: 200, headers: [] });
      response.data(Buffer.from('half'));
      return Promise.resolve(OK);
    },
  });
  await assert.rejects(fetch(fixture.url).then((response) => response.text()));
  await fixture.logged(1);
  assert.equal(fixture.dispatcher.ran[0]!.end!.outcome, 'bad-response');
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FulcrumError } from '../../../src/base/errors.ts';
import { answering, failed, OK, readBody } from '../../../src/gateway/testing/fake-instance.ts';
import { aborted, GatewayFixture } from '../../../src/gateway/testing/gateway-fixture.ts';
import { writeCertificate } from '../../../src/gateway/testing/test-certificate.ts';
import type { HttpExchange } from '../../../src/model/http.ts';
import { clientOf, VERSIONS } from './clients.ts';
import type { Client, Got, Open } from './clients.ts';

const MB = 1024 * 1024;
const LIMITS = { headerBytes: 8 * 1024, headerCount: 64, lingerMs: 300 };
const CORS = {
  origins: ['https://a.test'],
  methods: ['GET'],
  headers: ['X-A'],
  exposedHeaders: [],
  credentials: true,
  maxAgeS: 60,
};

/** The same gateway, the same requests: whatever version of HTTP they come in, the same must come of them. */
for (const version of VERSIONS) {
  describe(version, () => {
    const fixture = new GatewayFixture({ limits: LIMITS, settings: { trustedProxies: [], cors: null } });
    const exchanges: HttpExchange[] = [];
    let waiting: (() => void)[] = [];
    let directory = '';
    let client: Client;

    /** The next exchange of `held`, which the test leads by itself. */
    async function nextHeld(): Promise<HttpExchange> {
      while (exchanges.length === 0) await new Promise<void>((resolve) => void waiting.push(resolve));
      return exchanges.shift()!;
    }

    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'versions-'));
      await writeFile(join(directory, 'a.txt'), 'a file of text');
      const { certPath, keyPath, cert } = await writeCertificate(directory, { names: ['a.test'] });
      fixture.runs('echo', [{ path: '/echo/*', stripPrefix: true, bodyLimitBytes: MB }], {
        http: async (exchange) => {
          const { head, response } = exchange;
          let body: Buffer;
          try {
            body = await readBody(exchange);
          } catch (error) {
            return failed('handler-error', error as FulcrumError);
          }
          const seen = JSON.stringify({ method: head.method, url: head.url, target: head.target });
          response.head({ status: 200, headers: ['X-Seen', seen, 'X-Fields', JSON.stringify(head.headers)] });
          response.data(body);
          response.end();
          return OK;
        },
      });
      fixture.runs('held', [{ path: '/held/*', bodyLimitBytes: 128 * MB }], {
        http: async (exchange) => {
          exchanges.push(exchange);
          for (const wake of waiting.splice(0)) wake();
          const { signal } = exchange.context;
          const ended = new Promise<'ended'>((resolve) => {
            const { end } = exchange.response;
            exchange.response.end = function (this: HttpExchange['response']) {
              end.call(this);
              resolve('ended');
            };
          });
          if ((await Promise.race([ended, aborted(signal)])) === 'ended') return OK;
          return failed('cancelled', signal.reason as FulcrumError);
        },
      });
      const twice = [
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'X-Lower',
        'Kept As It Is',
        'Connection',
        'x-gone',
      ];
      fixture.runs(
        'plain',
        ['/plain'],
        answering(200, [...twice, 'X-Gone', '1', 'Keep-Alive', '5'], 'plain'),
      );
      const single = ['ETag', '"a"', 'ETag', '"b"', 'Content-Type', 'text/a', 'Content-Type', 'text/b'];
      const strange = [...single, 'X-Empty', '', 'X-Latin', 'caf\u00e9', 'HTTP2-Settings', 'x', 'TE', 'gzip'];
      fixture.runs('strange', ['/strange'], answering(200, strange, 'strange'));
      fixture.runs('sized', ['/sized'], answering(200, ['Content-Length', '5', 'ETag', '"x"'], 'sized'));
      fixture.runs('empty', ['/204'], answering(204, []));
      fixture.runs('same', ['/304'], answering(304, ['ETag', '"x"']));
      fixture.runs('odd', ['/odd'], answering(599, [], 'odd'));
      fixture.runs('short', ['/short'], answering(200, ['Content-Length', '9'], 'short'));
      fixture.runs('throws', ['/throws'], {
        http: () => Promise.resolve(failed('crashed', new FulcrumError('handler-error', 'no'))),
      });
      fixture.serves('files', ['/files/*'], directory, CORS);
      const { port: httpPort } = await fixture.gateway.listen({ port: 0, host: '127.0.0.1' });
      const { port: httpsPort } = await fixture.gateway.listenTls({
        at: { port: 0, host: '127.0.0.1' },
        certificates: [{ certPath, keyPath, hosts: null }],
        hsts: null,
      });
      client = clientOf(version, { httpPort, httpsPort, ca: cert });
    });
    after(async () => {
      client.close();
      await fixture.gateway.close(0);
      await rm(directory, { recursive: true });
    });

    const scheme = version === 'HTTP/1.1' ? 'http' : 'https';

    test('GET: what was asked for is what is seen', async () => {
      const got = await client.ask({
        path: '/echo/a%20b?c=d&c',
        headers: { 'X-A': ['1', '2'], Cookie: 'a=1; b=2' },
      });
      assert.equal(got.status, 200);
      const seen = JSON.parse(got.headers['x-seen']!) as Record<string, string>;
      assert.deepEqual(seen, {
        method: 'GET',
        url: `${scheme}://a.test/a%20b?c=d&c`.replace('test/', 'test/echo/'),
        target: '/a%20b?c=d&c',
      });
      const fields = fieldsOf(got);
      assert.deepEqual(fields['host'], ['a.test']);
      assert.deepEqual(fields['x-forwarded-proto'], [scheme]);
      assert.deepEqual(fields['x-a']!.join(', '), '1, 2');
      assert.deepEqual(fields['cookie'], ['a=1; b=2']);
      assert.match(got.headers['x-request-id']!, /^r_/);
      assert.match(got.headers['date']!, /GMT$/);
    });

    test('POST with a length, and without', async () => {
      const body = 'x'.repeat(200_000);
      assert.equal((await client.ask({ method: 'POST', path: '/echo/', body })).text, body);
      const open = client.open({ method: 'POST', path: '/echo/' });
      open.up.write('a');
      open.up.end('b');
      assert.equal(await textOf(open), 'ab');
    });

    test('bytes of bodies are told, both ways: of what was sent, and of what the client was given', async () => {
      const bytesOf = async (ask: Parameters<Client['ask']>[0]): Promise<unknown> => {
        await client.ask(ask);
        const { seed } = fixture.dispatcher.ran.at(-1)!;
        return [seed.bytesIn, seed.bytesOut];
      };
      const body = 'x'.repeat(200_000);
      assert.deepEqual(await bytesOf({ method: 'POST', path: '/echo/', body }), [200_000, 200_000]);
      assert.deepEqual(await bytesOf({ path: '/sized' }), [0, 5]);
      assert.deepEqual(await bytesOf({ method: 'HEAD', path: '/sized' }), [0, 0]);
      assert.deepEqual(await bytesOf({ path: '/204' }), [0, 0]);
      const { text } = await client.ask({ path: '/throws' });
      assert.equal(fixture.dispatcher.ran.at(-1)!.seed.bytesOut, text.length);
      const open = client.open({ method: 'POST', path: '/echo/' });
      open.up.write('a');
      open.up.end('bc');
      assert.equal(await textOf(open), 'abc');
      const { seed } = fixture.dispatcher.ran.at(-1)!;
      assert.deepEqual([seed.bytesIn, seed.bytesOut], [3, 3]);
    });

    test('a body of 0 bytes is one', async () => {
      const got = await client.ask({ method: 'POST', path: '/echo/', body: '' });
      assert.deepEqual([got.status, got.text], [200, '']);
    });

    test('HEAD has the fields of GET and no body', async () => {
      const head = await client.ask({ method: 'HEAD', path: '/sized' });
      assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', '5']);
      assert.equal(head.headers['etag'], '"x"');
      assert.equal((await client.ask({ path: '/sized' })).text, 'sized');
    });

    test('fields of one hop end here; repeated ones stay apart', async () => {
      const { headers, text } = await client.ask({ path: '/plain' });
      assert.equal(text, 'plain');
      assert.equal(headers['set-cookie'], 'a=1, b=2');
      assert.equal(headers['x-lower'], 'Kept As It Is');
      assert.deepEqual(
        [headers['x-gone'], headers['keep-alive']],
        [undefined, version === 'HTTP/2' ? undefined : headers['keep-alive']],
      );
    });

    test('fields that a component had better not send go out as far as they can', async () => {
      const { status, headers, text } = await client.ask({ path: '/strange' });
      assert.deepEqual([status, text], [200, 'strange']);
      // Of what may be there once alone, a client may take the first.
      assert.match(`${headers['etag']} ${headers['content-type']}`, /^"a".* text\/a/);
      assert.deepEqual([headers['x-empty'], headers['x-latin']], ['', 'caf\u00e9']);
      assert.deepEqual([headers['http2-settings'], headers['te']], [undefined, undefined]);
    });

    test('204 and 304 have no body, and 599 is passed on', async () => {
      for (const [path, status] of [
        ['/204', 204],
        ['/304', 304],
        ['/odd', 599],
      ] as const) {
        assert.equal((await client.ask({ path })).status, status);
      }
    });

    const PROBLEMS: [string, Parameters<Client['ask']>[0], number, string][] = [
      ['no route', { path: '/none' }, 404, 'route-not-found'],
      ['a handler that throws', { path: '/throws' }, 500, 'handler-error'],
      [
        'too large a body',
        { method: 'POST', path: '/echo/', body: 'x'.repeat(MB + 1) },
        413,
        'body-too-large',
      ],
      ['TRACE', { method: 'TRACE', path: '/echo/' }, 405, 'method-not-allowed'],
      [
        'too large a header',
        { path: '/echo/', headers: { 'X-A': 'x'.repeat(9_000) } },
        431,
        'headers-too-large',
      ],
      [
        'too many fields',
        { path: '/echo/', headers: { 'X-A': Array.from({ length: 70 }, String) } },
        431,
        'headers-too-large',
      ],
      ['a percent sign that encodes nothing', { path: '/echo/%zz' }, 400, 'bad-request'],
      ['a host that is none', { path: '/echo/', host: '999.999.999.999' }, 400, 'bad-request'],
    ];
    for (const [name, ask, status, code] of PROBLEMS) {
      test(`${name}: ${status} ${code}, as a problem document`, async () => {
        const got = await client.ask(ask);
        assert.equal(got.status, status);
        assert.equal(got.headers['content-type'], 'application/problem+json');
        assert.equal((JSON.parse(got.text) as { type: string }).type, `https://fulcrum.dev/errors/${code}`);
      });
    }

    test('dot segments are resolved before routing', async () => {
      const got = await client.ask({ path: '/held/../echo/x' });
      assert.match(got.headers['x-seen']!, /"target":"\/x"/);
    });

    test('files: whole, in part, not modified, and CORS', async () => {
      const whole = await client.ask({ path: '/files/a.txt', headers: { Origin: 'https://a.test' } });
      assert.deepEqual([whole.status, whole.text], [200, 'a file of text']);
      assert.equal(whole.headers['access-control-allow-origin'], 'https://a.test');
      const part = await client.ask({ path: '/files/a.txt', headers: { Range: 'bytes=2-5' } });
      assert.deepEqual([part.status, part.text], [206, 'file']);
      const same = await client.ask({
        path: '/files/a.txt',
        headers: { 'If-None-Match': whole.headers['etag']! },
      });
      assert.equal(same.status, 304);
      const preflight = await client.ask({
        method: 'OPTIONS',
        path: '/files/a.txt',
        headers: { Origin: 'https://a.test', 'Access-Control-Request-Method': 'GET' },
      });
      assert.deepEqual([preflight.status, preflight.headers['access-control-max-age']], [204, '60']);
    });

    test('both directions stream at once', async () => {
      const open = client.open({ method: 'POST', path: '/held/' });
      open.up.write('first');
      const exchange = await nextHeld();
      exchange.response.head({ status: 200, headers: [] });
      exchange.response.data(Buffer.from('early'));
      const { down } = await open.answer;
      const [early] = (await once(down, 'data')) as [Buffer];
      assert.equal(early.toString(), 'early', 'before the request has ended');
      const body = readBody(exchange);
      open.up.end('last');
      assert.equal((await body).toString(), 'firstlast');
      exchange.response.end();
      down.resume();
      await once(down, 'end');
    });

    test('a body that nobody reads is held back in the client', async () => {
      const open = client.open({ method: 'POST', path: '/held/' });
      open.up.write(Buffer.alloc(64 * MB));
      const exchange = await nextHeld();
      // So long that much more would have come.
      for (let i = 0; i < 30; i++) await client.ask({ path: '/sized' });
      let heldBytes = 0;
      exchange.body!.read({
        data: (bytes) => void (heldBytes += bytes.length),
        end: () => undefined,
        fail: () => undefined,
      });
      exchange.body!.pause();
      assert.ok(heldBytes > 0 && heldBytes <= MB, `${heldBytes} bytes were taken`);
      exchange.response.head({ status: 200, headers: [] });
      exchange.response.end();
      await open.answer;
      open.cancel();
    });

    test('an answer that the client does not read is held back in the instance', async () => {
      const open = client.open({ path: '/held/' });
      open.up.end();
      const exchange = await nextHeld();
      exchange.response.head({ status: 200, headers: [] });
      const { down } = await open.answer;
      down.pause();
      const chunk = Buffer.alloc(64 * 1024, 'x');
      let written = 0;
      let resumed = (): void => undefined;
      exchange.response.onDrain(() => resumed());
      while (exchange.response.data(chunk)) written += chunk.length;
      written += chunk.length;
      assert.ok(written < 64 * MB);
      const more = new Promise<void>((resolve) => void (resumed = resolve));
      let read = 0;
      down.on('data', (bytes: Buffer) => (read += bytes.length));
      down.resume();
      await more;
      exchange.response.end();
      await once(down, 'end');
      assert.equal(read, written);
    });

    test('a client that goes away is told of to the instance, and logged as 499', async () => {
      const seen = fixture.lines.length;
      const open = client.open({ path: '/held/gone' });
      open.up.end();
      const exchange = await nextHeld();
      open.cancel();
      await aborted(exchange.context.signal);
      assert.equal((exchange.context.signal.reason as FulcrumError).code, 'client-gone');
      const lines = await fixture.logged(seen + 1);
      const line = lines.find(({ fields }) => fields!['path'] === '/held/gone');
      assert.deepEqual([line!.fields!['status'], line!.fields!['error']], [499, 'client-gone']);
    });

    test('a client that goes away in the middle of its body: the instance learns that it was not whole', async () => {
      const open = client.open({
        method: 'POST',
        path: '/held/',
        headers: { 'Content-Length': '9' },
      });
      open.up.write('half');
      const exchange = await nextHeld();
      const body = readBody(exchange);
      open.cancel();
      await assert.rejects(body, (error: FulcrumError) => error.code === 'client-gone');
    });

    test('an answer that breaks off is never taken for a whole one', async () => {
      await assert.rejects(client.ask({ path: '/short' }));
      const open = client.open({ path: '/held/' });
      open.up.end();
      const exchange = await nextHeld();
      exchange.response.head({ status: 200, headers: [] });
      exchange.response.data(Buffer.from('half'));
      const { down } = await open.answer;
      const whole = textOf(open);
      exchange.response.head({ status: 200, headers: [] });
      await assert.rejects(whole);
      assert.ok(down.destroyed);
    });

    test('100 Continue once the body is wanted', async () => {
      const got = await client.ask({
        method: 'POST',
        path: '/echo/',
        headers: { Expect: '100-continue' },
        body: 'ab',
      });
      assert.deepEqual([got.status, got.text], [200, 'ab']);
      assert.deepEqual(got.early, [100]);
    });

    test('a large answer comes whole', async () => {
      const open = client.open({ path: '/held/' });
      open.up.end();
      const exchange = await nextHeld();
      const { response } = exchange;
      response.head({ status: 200, headers: ['Content-Length', String(8 * MB)] });
      let left = 8 * MB;
      const write = (): void => {
        while (left > 0) {
          left -= 64 * 1024;
          if (!response.data(Buffer.alloc(64 * 1024, left % 251))) break;
        }
        if (left === 0) response.end();
      };
      response.onDrain(write);
      write();
      assert.equal((await textOf(open)).length, 8 * MB);
    });

    test('the log has one line for each, with the component, the status and the bytes', async () => {
      const seen = fixture.lines.length;
      await client.ask({ path: '/sized?secret=1' });
      const line = (await fixture.logged(seen + 1)).at(-1)!;
      assert.deepEqual(
        [line.component, line.fields!['path'], line.fields!['status'], line.fields!['bytesOut']],
        ['sized', '/sized', 200, 5],
      );
    });
  });
}

function fieldsOf({ headers }: Got): Record<string, string[]> {
  const raw = JSON.parse(headers['x-fields']!) as string[];
  const fields: Record<string, string[]> = {};
  for (let i = 0; i < raw.length; i += 2) (fields[raw[i]!.toLowerCase()] ??= []).push(raw[i + 1]!);
  return fields;
}

async function textOf(open: Open): Promise<string> {
  const { down } = await open.answer;
  const chunks: Buffer[] = [];
  for await (const chunk of down) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('latin1');
}

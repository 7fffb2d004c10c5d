import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import type { Instance } from '../../model/instance.ts';
import {
  Answer,
  ask,
  fixture,
  MB,
  TestBody,
  testRuntime,
  type Ask,
  type LogLines,
} from './testing/program.ts';

async function run(t: TestContext, name: string): Promise<{ instance: Instance; log: LogLines }> {
  const { log, start } = testRuntime(t);
  return { instance: await start(fixture(name)), log };
}

/** Asks the raw fixture for `bytes`. */
function rawly(instance: Instance, bytes: string, then: string, more: Ask = {}): Promise<Answer> {
  const answer = Buffer.from(bytes, 'latin1').toString('base64');
  return ask(instance, '/', { ...more, headers: ['Host', 'h', 'X-Answer', answer, 'X-Then', then] });
}

test('an unmodified Express server', async (t) => {
  const { instance } = await run(t, 'express.mjs');

  await t.test('a query, a body, a status of its own', async () => {
    const hello = await ask(instance, '/hello?name=Ada');
    assert.deepEqual(
      [hello.status, hello.text, hello.end_],
      [200, 'Hello Ada', { outcome: 'ok', error: null, cpuMs: 0 }],
    );
    const created = await ask(instance, '/json', {
      method: 'POST',
      headers: ['Host', 'h', 'Content-Type', 'application/json'],
      body: '{"a":1}',
    });
    assert.deepEqual([created.status, created.text], [201, '{"got":{"a":1}}']);
    assert.equal((await ask(instance, '/missing')).status, 404);
  });

  await t.test('request fields arrive in order, case and repeats kept, hop-by-hop ones not', async () => {
    const { text } = await ask(instance, '/headers', {
      headers: [
        'HOST',
        'shop.test',
        'x-B',
        '1',
        'X-a',
        'é',
        'X-B',
        '2',
        'Expect',
        '100-continue',
        'Cookie',
        'c=d',
      ],
    });
    assert.equal(
      (JSON.parse(text) as string[]).join('|'),
      'HOST|shop.test|x-B|1|X-a|é|X-B|2|Cookie|c=d|Connection|keep-alive',
    );
  });

  await t.test('cookies stay apart, hop-by-hop answer fields go, the length stays', async () => {
    const answer = await ask(instance, '/cookies');
    assert.deepEqual(answer.all('set-cookie'), ['a=1; Path=/', 'b=2; Path=/']);
    assert.deepEqual(answer.all('content-length'), ['2']);
    assert.deepEqual([...answer.all('connection'), ...answer.all('keep-alive')], []);
    const chunked = await ask(instance, '/chunks');
    assert.deepEqual([chunked.text, chunked.all('transfer-encoding')], ['one two', []]);
  });

  await t.test('HEAD, 204 and early hints', async () => {
    const head = await ask(instance, '/hello', { method: 'HEAD' });
    assert.deepEqual([head.status, head.text, head.all('content-length')], [200, '', ['11']]);
    const nothing = await ask(instance, '/nothing');
    assert.deepEqual([nothing.status, nothing.text, nothing.isEnded], [204, '', true]);
    const hinted = await ask(instance, '/hints');
    assert.deepEqual([hinted.status, hinted.text], [200, 'after hints']);
  });

  await t.test('bodies with a length, chunked, empty and none', async () => {
    const framing = async (method: string, body: TestBody | null): Promise<unknown[]> => {
      const { text } = await ask(instance, '/framing', { method, ...(body && { body }) });
      const { headers, bytes } = JSON.parse(text) as { headers: Record<string, string>; bytes: number };
      return [headers['content-length'] ?? null, headers['transfer-encoding'] ?? null, bytes];
    };
    const chunk = Buffer.from('hello');
    assert.deepEqual(await framing('POST', new TestBody([chunk, chunk])), ['10', null, 10]);
    assert.deepEqual(await framing('PUT', new TestBody([chunk], { lengthBytes: null })), [
      null,
      'chunked',
      5,
    ]);
    assert.deepEqual(await framing('POST', new TestBody([], { lengthBytes: null })), [null, 'chunked', 0]);
    assert.deepEqual(await framing('GET', new TestBody([chunk], { lengthBytes: null })), [
      null,
      'chunked',
      5,
    ]);
    assert.deepEqual(await framing('POST', null), ['0', null, 0]);
    assert.deepEqual(await framing('GET', null), [null, null, 0]);
  });

  await t.test(
    'a body that is longer or shorter than it said is refused, and no second request slips in',
    async () => {
      for (const lengthBytes of [3, 9]) {
        const body = new TestBody([Buffer.from('hello')], { lengthBytes });
        const { end_, status } = await ask(instance, '/framing', { method: 'POST', body });
        assert.deepEqual([status, end_?.error?.code], [null, 'bad-request']);
      }
    },
  );

  await t.test('what HTTP/1.1 cannot carry is refused', async () => {
    for (const [target, headers] of [
      ['/a b', []],
      ['/', ['X-A', 'b\r\nX-C: d']],
      ['/', ['X A', 'b']],
    ] as [string, string[]][]) {
      const { end_ } = await ask(instance, target, { headers: ['Host', 'h', ...headers] });
      assert.equal(end_?.error?.code, 'bad-request');
    }
  });
});

test('an unmodified Fastify server', async (t) => {
  const { instance } = await run(t, 'fastify.mjs');
  assert.equal((await ask(instance, '/hello?name=Ada')).text, '{"hello":"Ada"}');
  const sum = await ask(instance, '/sum', {
    method: 'POST',
    headers: ['Host', 'h', 'Content-Type', 'application/json'],
    body: new TestBody([Buffer.from('[1,2'), Buffer.from(',3]')], { lengthBytes: null }),
  });
  assert.deepEqual([sum.status, sum.text], [200, '{"sum":6}']);
});

test('aborts: the upstream request is closed and the end tells why', async (t) => {
  const { instance, log } = await run(t, 'express.mjs');
  for (const [code, outcome] of [
    ['timeout', 'timeout'],
    ['client-gone', 'cancelled'],
    ['shutting-down', 'cancelled'],
  ] as const) {
    log.entries.length = 0;
    const abort = new AbortController();
    const answer = ask(instance, '/hang', { signal: abort.signal });
    await log.line(/^hanging$/);
    abort.abort(new FulcrumError(code, 'enough'));
    const { end_ } = await answer;
    assert.deepEqual([end_?.outcome, end_?.error?.code], [outcome, code]);
    await log.line(/^closed$/);
  }
  const late = await ask(instance, '/hello', {
    signal: AbortSignal.abort(new FulcrumError('timeout', 'late')),
  });
  assert.deepEqual([late.end_?.outcome, late.status], ['timeout', null]);
});

test('a slow client holds a fast program back, and what was sent is bounded', async (t) => {
  const { instance, log } = await run(t, 'express.mjs');
  const sink = new Answer();
  sink.full = true;
  const abort = new AbortController();
  const answer = ask(instance, '/flood', { sink, signal: abort.signal });
  // The program has come to a stop once a further connection's answer came and nothing more flowed meanwhile.
  let before = -1;
  while (before !== log.entries.length) {
    before = log.entries.length;
    for (let i = 0; i < 20; i++) await ask(instance, '/hello');
  }
  assert.ok(sink.bytes < 1 * MB, `took ${sink.bytes} bytes after it was full`);
  const sent = (): number => Number(/\d+/.exec(log.entries.at(-1)!.text)![0]);
  assert.ok(sent() < 16 * MB, `the program sent ${sent()} bytes into the void`);
  sink.resume();
  await sink.until(({ bytes }) => bytes > 32 * MB);
  abort.abort(new FulcrumError('client-gone', 'enough'));
  assert.equal((await answer).end_?.outcome, 'cancelled');
});

test('uploads', async (t) => {
  const { instance, log } = await run(t, 'upload.mjs');

  await t.test('20 MB arrive whole, with a length and chunked', async () => {
    const chunks = Array.from({ length: 320 }, (_, i) => Buffer.alloc(64 * 1024, i));
    const sha256 = createHash('sha256').update(Buffer.concat(chunks)).digest('hex');
    for (const lengthBytes of [20 * MB, null]) {
      const { text } = await ask(instance, '/', {
        method: 'POST',
        body: new TestBody(chunks, { lengthBytes }),
      });
      assert.deepEqual(JSON.parse(text), { bytes: 20 * MB, sha256 });
    }
  });

  await t.test('a program that does not read holds the sender back', async () => {
    const paused = Promise.withResolvers<void>();
    const chunk = Buffer.alloc(64 * 1024);
    const body = new TestBody(
      Array.from({ length: 1_600 }, () => chunk),
      { onPause: paused.resolve },
    );
    const answer = ask(instance, '/unread', { method: 'POST', body });
    await log.line(/^not reading$/);
    await paused.promise;
    assert.ok(body.taken < 32 * MB, `took ${body.taken} bytes`);
    process.kill(instance.pid, 'SIGUSR2');
    const { text } = await answer;
    assert.deepEqual([text, body.taken], ['read', 100 * MB]);
  });

  await t.test('an answer before the body has come ends the exchange', async () => {
    const endless = (function* () {
      for (;;) yield Buffer.alloc(1024);
    })();
    const body = new TestBody(endless, { lengthBytes: null });
    const answer = await ask(instance, '/early', { method: 'POST', body });
    assert.deepEqual([answer.status, answer.text, answer.end_?.outcome], [413, 'too much for me', 'ok']);
    assert.equal(body.cancelled, true);
  });

  await t.test('a body that breaks off closes the upstream request', async () => {
    const body = new TestBody([Buffer.alloc(1024)], { lengthBytes: 4096 });
    const answer = ask(instance, '/', {
      method: 'POST',
      body: Object.assign(body, {
        read: (reader: Parameters<TestBody['read']>[0]) => {
          reader.data(Buffer.alloc(1024));
          setImmediate(() => reader.fail(new FulcrumError('body-too-large', 'too large')));
        },
      }),
    });
    const { end_, status } = await answer;
    assert.deepEqual([status, end_?.outcome, end_?.error?.code], [null, 'cancelled', 'body-too-large']);
  });
});

test('answers that are no valid HTTP', async (t) => {
  const { instance } = await run(t, 'raw.mjs');
  const rows: [string, string, RegExp][] = [
    ['garbage', 'SSH-2.0-OpenSSH_9.2\r\n', /no valid HTTP/],
    ['a bad status line', 'HTTP/1.1 abc OK\r\n\r\n', /no valid HTTP/],
    ['a status beyond 599', 'HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n', /status 799/],
    ['an upgrade nobody asked for', 'HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n', /101/],
    ['a field without a name', 'HTTP/1.1 200 OK\r\n: b\r\n\r\n', /no valid HTTP/],
    ['a name with a space', 'HTTP/1.1 200 OK\r\nX Y: b\r\n\r\n', /no valid HTTP/],
    ['a control character in a value', 'HTTP/1.1 200 OK\r\nX: a\x01b\r\n\r\n', /no valid HTTP/],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', /no valid HTTP/],
    [
      'length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      /no valid HTTP/,
    ],
    ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', /gzip/],
    ['an endless head', 'HTTP/1.1 200 OK\r\n', /64 KB/],
  ];
  for (const [what, bytes, reason] of rows) {
    const { end_, status } = await rawly(instance, bytes, what === 'an endless head' ? 'repeat' : 'keep');
    assert.deepEqual(
      [what, status, end_?.outcome, end_?.error?.code],
      [what, null, 'bad-response', 'bad-response'],
    );
    assert.match(end_!.error!.message, reason, what);
  }

  await t.test('a body that breaks off ends with an error behind the head', async () => {
    for (const [bytes, then] of [
      ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', 'end'],
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', 'end'],
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n', 'keep'],
    ] as const) {
      const answer = await rawly(instance, bytes, then);
      assert.deepEqual(
        [answer.status, answer.isEnded, answer.end_?.outcome],
        [200, false, 'bad-response'],
        bytes,
      );
    }
  });

  await t.test('a connection closed without an answer', async () => {
    for (const then of ['end', 'reset']) {
      const { end_ } = await rawly(instance, '', then);
      assert.deepEqual([end_?.outcome, end_?.error?.code], ['bad-response', 'bad-response']);
      assert.match(end_!.error!.message, /without an answer/);
    }
    const { end_ } = await rawly(instance, 'HTTP/1.1 200 OK\r\nX-A', 'end');
    assert.equal(end_?.outcome, 'bad-response');
  });

  await t.test('an answer that lasts until the connection closes', async () => {
    const answer = await rawly(instance, 'HTTP/1.0 200 OK\r\n\r\nold style', 'end');
    assert.deepEqual([answer.text, answer.end_?.outcome], ['old style', 'ok']);
  });

  await t.test('a long head is passed on', async () => {
    const line = `X-A: ${'a'.repeat(1_000)}\r\n`;
    // Longer than Node's own limit for a head.
    const answer = await rawly(
      instance,
      `HTTP/1.1 200 OK\r\n${line.repeat(40)}Content-Length: 0\r\n\r\n`,
      'keep',
    );
    assert.deepEqual([answer.status, answer.all('x-a').length], [200, 40]);
  });

  await t.test('trailers and a second answer on the same connection are dropped', async () => {
    const trailers =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T: secret\r\n\r\n';
    assert.equal((await rawly(instance, trailers, 'keep')).text, 'a');
    const twice =
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
    assert.equal((await rawly(instance, twice, 'keep')).text, '1');
    assert.equal((await rawly(instance, 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2', 'keep')).text, '2');
  });
});

test('a program that dies during a request: crashed, with how it ended', async (t) => {
  for (const [bytes, status] of [
    ['', null],
    ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', 200],
  ] as const) {
    const { instance } = await run(t, 'raw.mjs');
    const answer = await rawly(instance, bytes, 'exit');
    assert.deepEqual([answer.status, answer.isEnded, answer.end_?.outcome], [status, false, 'crashed']);
    assert.equal(answer.end_?.error?.code, 'instance-crashed');
    assert.match(answer.end_.error.message, /exit code 3/);
    assert.deepEqual(await instance.ended, {
      reason: 'exit code 3',
      exitCode: 3,
      signal: null,
      expected: false,
    });
    assert.equal((await ask(instance, '/')).end_?.outcome, 'refused');
  }
});

test('a kept connection is let go before its program could, so that a POST never meets the close', async (t) => {
  const { instance, log } = await run(t, 'closes-kept.mjs');
  assert.equal((await ask(instance, '/')).text, '1');
  await log.line(/^let go$/);
  assert.equal((await ask(instance, '/', { method: 'POST' })).text, '2');
});

test('a kept connection that closes as it is used: sent again only where that does no harm', async (t) => {
  const { instance } = await run(t, 'closes-kept.mjs');
  const next = async (more: Ask = {}): Promise<string> => {
    const { text, end_ } = await ask(instance, '/', more);
    return end_!.outcome === 'ok' ? text : end_!.error!.code;
  };
  assert.equal(await next(), '1');
  // On the kept connection, reset, and once more on a new one, which is not kept.
  assert.equal(await next(), '2');
  assert.equal(await next(), '3');
  assert.equal(await next({ method: 'POST' }), 'bad-response');
  assert.equal(await next(), '4');
  assert.equal(await next({ method: 'PUT', body: 'x' }), 'bad-response');
  assert.equal(await next(), '5');
  assert.equal(await next({ method: 'DELETE' }), '6');
});

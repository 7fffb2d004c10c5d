import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { failed, OK, readBody } from './testing/fake-instance.ts';
import { aborted, gatewayFixture } from './testing/gateway-fixture.ts';
import type { HttpExchange } from '../model/http.ts';
import type { Behaviour } from './testing/fake-instance.ts';

const ECHO: Behaviour = {
  http: async (exchange) => {
    try {
      const body = await readBody(exchange);
      exchange.response.head({ status: 200, headers: ['Content-Length', String(body.length)] });
      exchange.response.data(body);
      exchange.response.end();
      return OK;
    } catch (error) {
      return failed('handler-error', new FulcrumError('handler-error', 'broke', { cause: error }));
    }
  },
};

/** Answers with the head at once, and lets the test write the rest. */
function held(): { behaviour: Behaviour; exchange: Promise<HttpExchange>; end: () => void } {
  let give = (_exchange: HttpExchange): void => undefined;
  let end = (): void => undefined;
  const exchange = new Promise<HttpExchange>((resolve) => void (give = resolve));
  const over = new Promise<void>((resolve) => void (end = resolve));
  const behaviour: Behaviour = {
    http: async (given) => {
      give(given);
      const aborted = new Promise<'aborted'>((resolve) => {
        given.context.signal.addEventListener('abort', () => resolve('aborted'), { once: true });
      });
      const how = await Promise.race([over, aborted]);
      return how === 'aborted' ? failed('cancelled', given.context.signal.reason as FulcrumError) : OK;
    },
  };
  return { behaviour, exchange, end };
}

test('a body larger than its route takes: 413 before an instance is asked for', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', [{ path: '/*', bodyLimitBytes: 10 }], ECHO);
  const response = await fetch(fixture.url, { method: 'POST', body: 'x'.repeat(11) });
  assert.equal(response.status, 413);
  assert.match(await response.text(), /body-too-large/);
  assert.equal(fixture.dispatcher.ran.length, 0);
  assert.equal((await fetch(fixture.url, { method: 'POST', body: 'x'.repeat(10) })).status, 200);
});

test('a large body that is refused: the client reads the answer though it is still sending', async (t) => {
  const fixture = await gatewayFixture(t, { limits: { lingerMs: 10_000 } });
  fixture.runs('shop', [{ path: '/*', bodyLimitBytes: 10 }], ECHO);
  const client = await fixture.connect();
  const body = Buffer.alloc(8 * 1024 * 1024);
  client.socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
  client.socket.write(body);
  client.socket.end();
  const text = await client.rest();
  assert.match(text, /^HTTP\/1\.1 413 [^]*Connection: close[^]*body-too-large/i);
  assert.equal(client.error, null, 'no reset');
});

test('a chunked body that grows too large: the instance is told, the client gets 413', async (t) => {
  const fixture = await gatewayFixture(t);
  let told: unknown = null;
  let reason: unknown = null;
  fixture.runs('shop', [{ path: '/*', bodyLimitBytes: 1_000 }], {
    http: async (exchange) => {
      told = await readBody(exchange).catch((error: unknown) => error);
      const { signal } = exchange.context;
      if (!signal.aborted) await aborted(signal);
      reason = signal.reason;
      return failed('cancelled', signal.reason as FulcrumError);
    },
  });
  const chunk = `200\r\n${'x'.repeat(512)}\r\n`;
  const client = await fixture.connect();
  client.socket.write(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
  client.socket.write(chunk.repeat(3));
  const text = await client.rest();
  assert.match(text, /^HTTP\/1\.1 413 [^]*Connection: close/i);
  assert.equal((told as FulcrumError).code, 'body-too-large');
  assert.equal((reason as FulcrumError).code, 'body-too-large');
  const lines = await fixture.logged(1);
  assert.deepEqual(
    [lines.length, lines[0]!.fields!['status'], fixture.dispatcher.ran[0]!.status],
    [1, 413, 413],
  );
});

test('a body that stands still: 408, but not while the instance is the one that waits', async (t) => {
  const clock = new FakeClock();
  const fixture = await gatewayFixture(t, { clock, limits: { bodyIdleMs: 60 } });
  let broke: FulcrumError | null = null;
  let release = (): void => undefined;
  const paused = new Promise<void>((resolve) => {
    fixture.runs('shop', ['/*'], {
      http: async (exchange) => {
        const error = await new Promise<FulcrumError>((fail) => {
          exchange.body!.read({ data: () => undefined, end: () => undefined, fail });
          exchange.body!.pause();
          release = () => exchange.body!.resume();
          resolve();
        });
        broke = error;
        return failed('cancelled', error);
      },
    });
  });
  const client = await fixture.connect();
  client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
  await paused;
  await clock.advance(60_000);
  assert.equal(broke, null, 'the client cannot help it that nobody reads');
  release();
  await clock.advance(59);
  assert.equal(broke, null, 'it has had no whole 60 ms since somebody reads');
  await clock.advance(61);
  assert.match(await client.until(/body-timeout/), /^HTTP\/1\.1 408 /);
  client.socket.destroy();
});

test('the client is told to continue only when its body is wanted', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', [{ path: '/echo', bodyLimitBytes: 10 }], ECHO);
  const { behaviour, exchange, end } = held();
  fixture.runs('lazy', ['/lazy'], behaviour);
  const ask = (path: string, length: number): string =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
  const client = await fixture.connect();
  client.socket.write(ask('/echo', 3));
  await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  client.socket.write('abc');
  await client.until(/200 OK[^]*abc$/);
  client.socket.write(ask('/echo', 11));
  const refused = await client.rest();
  assert.match(refused, /413 Payload[^]*Connection: close/i);
  assert.equal(refused.match(/100 Continue/g)?.length, 1);
  const lazy = await fixture.connect();
  lazy.socket.write(ask('/lazy', 3));
  const { response } = await exchange;
  response.head({ status: 401, headers: ['Content-Length', '0'] });
  response.end();
  end();
  await lazy.until(/^HTTP\/1\.1 401/);
  lazy.socket.destroy();
});

test('a client that leaves: the signal aborts, the body breaks off, the log says 499', async (t) => {
  const fixture = await gatewayFixture(t);
  const { behaviour, exchange } = held();
  fixture.runs('shop', ['/*'], behaviour);
  const client = await fixture.connect();
  client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
  const { body, context } = await exchange;
  const broke = new Promise<FulcrumError>((fail) => {
    body!.read({ data: () => client.socket.destroy(), end: () => undefined, fail });
  });
  assert.equal((await broke).code, 'client-gone');
  assert.equal((context.signal.reason as FulcrumError).code, 'client-gone');
  const [line] = await fixture.logged(1);
  assert.deepEqual([line!.fields!['status'], line!.level], [499, 'info']);
});

test('a client that leaves while it waits for an instance aborts what it had asked for', async (t) => {
  const fixture = await gatewayFixture(t);
  const { behaviour, exchange } = held();
  fixture.runs('shop', ['/*'], behaviour);
  const controller = new AbortController();
  const response = fetch(fixture.url, { signal: controller.signal });
  const { context } = await exchange;
  controller.abort();
  await assert.rejects(response);
  if (!context.signal.aborted) await aborted(context.signal);
  assert.equal((context.signal.reason as FulcrumError).code, 'client-gone');
});

test('an upload waits for its reader: what is not read is not taken', async (t) => {
  const fixture = await gatewayFixture(t);
  const { behaviour, exchange, end } = held();
  const total = 32 * 1024 * 1024;
  fixture.runs('shop', [{ path: '/*', bodyLimitBytes: total }], behaviour);
  fixture.runs('other', [{ path: '/other', bodyLimitBytes: total }], ECHO);
  const client = await fixture.connect();
  client.socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`);
  client.socket.write(Buffer.alloc(total));
  const { body, response } = await exchange;
  let received = 0;
  let resumed = false;
  const whole = new Promise<void>((resolve, reject) => {
    body!.read({
      data: (chunk) => {
        received += chunk.length;
        if (!resumed) body!.pause();
      },
      end: resolve,
      fail: reject,
    });
  });
  // Another upload comes through whole meanwhile: had this one been read on too, as much of it would have come.
  const other = await fetch(`${fixture.url}/other`, { method: 'POST', body: Buffer.alloc(16 * 1024 * 1024) });
  assert.equal(other.status, 200);
  assert.ok(received < 1024 * 1024, `${received} bytes came though the reader had paused`);
  assert.ok(client.socket.writableLength > 16 * 1024 * 1024, 'the client must still hold most of it');
  resumed = true;
  body!.resume();
  await whole;
  assert.equal(received, total);
  response.head({ status: 204, headers: [] });
  response.end();
  end();
  await client.until(/204/);
  client.socket.destroy();
});

test('a slow reader holds the answer back, and gets all of it in the end', async (t) => {
  const fixture = await gatewayFixture(t);
  const { behaviour, exchange, end } = held();
  fixture.runs('shop', ['/*'], behaviour);
  const client = await fixture.connect();
  client.socket.pause();
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const { response } = await exchange;
  response.head({ status: 200, headers: [] });
  const chunk = Buffer.alloc(64 * 1024, 'x');
  let sent = 0;
  const drained = new Promise<void>((resolve) => response.onDrain(resolve));
  while (response.data(chunk)) {
    sent += chunk.length;
    assert.ok(sent < 64 * 1024 * 1024, 'the sink never said that it was full');
    await new Promise((resolve) => void setImmediate(resolve));
  }
  sent += chunk.length;
  client.socket.resume();
  await drained;
  response.end();
  end();
  const text = await client.rest();
  assert.equal(
    text.match(/x+/g)?.reduce((sum, run) => sum + (run.length > 100 ? run.length : 0), 0),
    sent,
  );
});

test('a client that never reads is cut after a while', async (t) => {
  const fixture = await gatewayFixture(t, { limits: { stalledClientMs: 50 } });
  const { behaviour, exchange } = held();
  fixture.runs('shop', ['/*'], behaviour);
  const client = await fixture.connect();
  client.socket.pause();
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const { response, context } = await exchange;
  response.head({ status: 200, headers: [] });
  const fill = (): void => {
    while (response.data(Buffer.alloc(256 * 1024)));
  };
  // The kernel's own buffers take some of it first.
  response.onDrain(fill);
  fill();
  if (!context.signal.aborted) await aborted(context.signal);
  assert.equal((context.signal.reason as FulcrumError).code, 'client-gone');
  client.socket.destroy();
});

test('a client that never reads an answer that has ended is cut after a while too', async (t) => {
  const clock = new FakeClock();
  const fixture = await gatewayFixture(t, { clock, limits: { stalledClientMs: 1_000 } });
  const { behaviour, exchange, end } = held();
  fixture.runs('shop', ['/*'], behaviour);
  const client = await fixture.connect();
  client.socket.pause();
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const { response } = await exchange;
  response.head({ status: 200, headers: [] });
  // More than the kernel's own buffers take.
  response.data(Buffer.alloc(64 * 1024 * 1024));
  response.end();
  end();
  await fixture.logged(1);
  assert.equal(fixture.gateway.connections, 1);
  await clock.advance(1_250);
  client.socket.resume();
  await client.rest();
  assert.ok(client.text.length < 64 * 1024 * 1024, 'cut, not ended');
});

test('a client that reads slowly is cut only once it reads no more', async (t) => {
  const clock = new FakeClock();
  const fixture = await gatewayFixture(t, { clock, limits: { stalledClientMs: 1_000 } });
  const { behaviour, exchange, end } = held();
  fixture.runs('shop', ['/*'], behaviour);
  const client = await fixture.connect();
  const half = 32 * 1024 * 1024;
  const readMost = new Promise<void>((resolve) => {
    client.socket.on('data', () => {
      if (client.socket.bytesRead < half + half / 4) return;
      client.socket.pause();
      resolve();
    });
  });
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const { response } = await exchange;
  response.head({ status: 200, headers: [] });
  response.data(Buffer.alloc(half));
  // What is written in one turn of the loop leaves in one piece.
  await new Promise((resolve) => void setImmediate(resolve));
  response.data(Buffer.alloc(half));
  response.end();
  end();
  await readMost;
  await new Promise((resolve) => void setImmediate(resolve));
  await clock.advance(1_000);
  await new Promise((resolve) => void setImmediate(resolve));
  assert.equal(fixture.gateway.connections, 1, 'it has read since');
  await clock.advance(1_000);
  client.socket.removeAllListeners('data').resume();
  await client.rest();
  assert.ok(client.socket.bytesRead < 2 * half, 'cut, not ended');
});

test('an event stream: the head goes out at once, each event as it comes', async (t) => {
  const fixture = await gatewayFixture(t);
  const { behaviour, exchange, end } = held();
  fixture.runs('shop', ['/*'], behaviour);
  const client = await fixture.connect();
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const { response } = await exchange;
  response.head({ status: 200, headers: ['Content-Type', 'text/event-stream'] });
  await client.until(/event-stream[^]*\r\n\r\n$/);
  response.data(Buffer.from('data: 1\n\n'));
  await client.until(/data: 1\n\n/);
  response.end();
  end();
  await client.until(/\r\n0\r\n\r\n$/);
  client.socket.destroy();
});

test('an unread rest of a body does not hold a connection for ever', async (t) => {
  const fixture = await gatewayFixture(t, { limits: { lingerMs: 50 } });
  const { behaviour, exchange, end } = held();
  fixture.runs('shop', ['/*'], behaviour);
  const client = await fixture.connect();
  client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
  const { response } = await exchange;
  response.head({ status: 200, headers: ['Content-Length', '2'] });
  response.data(Buffer.from('ok'));
  response.end();
  end();
  assert.match(await client.rest(), /200 OK[^]*ok$/);
});

test('an instance that reads on after its answer learns that the client has gone', async (t) => {
  const fixture = await gatewayFixture(t);
  const { behaviour, exchange, end } = held();
  fixture.runs('shop', ['/*'], behaviour);
  const client = await fixture.connect();
  client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
  const { response, body } = await exchange;
  const broke = new Promise<FulcrumError>((fail) => {
    body!.read({ data: () => undefined, end: () => undefined, fail });
  });
  response.head({ status: 200, headers: ['Content-Length', '2'] });
  response.data(Buffer.from('ok'));
  response.end();
  await client.until(/ok$/);
  client.socket.destroy();
  assert.equal((await broke).code, 'client-gone');
  end();
});

test('a body that nobody wants is bounded like any other', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', [{ path: '/*', bodyLimitBytes: 1_000 }], {
    http: async (exchange) => {
      exchange.body!.cancel();
      exchange.response.head({ status: 200, headers: [] });
      exchange.response.data(Buffer.from('begun'));
      await aborted(exchange.context.signal);
      return failed('cancelled', exchange.context.signal.reason as FulcrumError);
    },
  });
  const client = await fixture.connect();
  const chunk = `200\r\n${'x'.repeat(512)}\r\n`;
  client.socket.write(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
  await client.until(/begun/);
  client.socket.write(chunk.repeat(2));
  assert.doesNotMatch(await client.rest(), /0\r\n\r\n$/, 'no clean end');
  assert.equal((await fixture.logged(1))[0]!.fields!['error'], 'body-too-large');
});

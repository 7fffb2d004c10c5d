import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { answering, failed, OK, readBody } from './testing/fake-instance.ts';
import { gatewayFixture, RawClient } from './testing/gateway-fixture.ts';
import type { HttpExchange } from '../model/http.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('a body that drips, always too soon to be called still, is too slow all the same: 408', async (t) => {
  const clock = new FakeClock();
  const fixture = await gatewayFixture(t, {
    clock,
    limits: { bodyIdleMs: 10_000, minBytesPerS: 100, minRateGraceMs: 2_000 },
  });
  const reached = Promise.withResolvers<void>();
  fixture.runs('shop', ['/*'], {
    http: async (exchange) => {
      const body = readBody(exchange);
      reached.resolve();
      await body.catch(() => undefined);
      return failed('handler-error', new FulcrumError('handler-error', 'broke'));
    },
  });
  const client = await fixture.connect();
  client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n');
  await reached.promise;
  while (!client.text.includes('408') && clock.monotonicMs() < 60_000) {
    if (client.socket.writable) await new Promise((written) => void client.socket.write('x', written));
    await turn();
    await clock.advance(500);
    await turn();
  }
  assert.match(client.text, /^HTTP\/1\.1 408 [^]*body-timeout/);
  assert.ok(clock.monotonicMs() < 10_000, 'long before the body would have been whole');
});

test('connections from one address are bounded, and others may still come', async (t) => {
  const fixture = await gatewayFixture(t, { limits: { maxConnectionsPerClient: 3 } });
  fixture.runs('shop', ['/*'], answering(200, [], 'ok'));
  const from = async (localAddress: string): Promise<RawClient> => {
    const socket = connect({ port: fixture.port, host: '127.0.0.1', localAddress });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return new RawClient(socket);
  };
  const held = await Promise.all([from('127.0.0.2'), from('127.0.0.2'), from('127.0.0.2')]);
  while (fixture.gateway.connections < 3) await turn();
  const fourth = await from('127.0.0.2');
  fourth.socket.write(GET);
  assert.equal(await fourth.rest(), '', 'closed without an answer');
  const other = await from('127.0.0.3');
  other.socket.write(GET);
  await other.until(/ok$/);
  held[0].socket.destroy();
  while (fixture.gateway.connections > 3) await turn();
  const again = await from('127.0.0.2');
  again.socket.write(GET);
  await again.until(/ok$/);
  for (const client of [...held, other, again]) client.socket.destroy();
});

test('a trusted proxy may have as many connections as it likes', async (t) => {
  const fixture = await gatewayFixture(t, {
    limits: { maxConnectionsPerClient: 1 },
    trustedProxies: ['127.0.0.0/8'],
  });
  fixture.runs('shop', ['/*'], answering(200, [], 'ok'));
  const clients = await Promise.all([fixture.connect(), fixture.connect(), fixture.connect()]);
  for (const client of clients) {
    client.socket.write(GET);
    await client.until(/ok$/);
    client.socket.destroy();
  }
});

test('where as many are open as may be, whoever has been idle longest makes room; who is served does not', async (t) => {
  const fixture = await gatewayFixture(t, { limits: { maxConnections: 3 } });
  fixture.runs('shop', ['/*'], answering(200, [], 'ok'));
  fixture.runs('held', ['/held'], { http: () => new Promise(() => undefined) });
  const served = await fixture.connect();
  served.socket.write('GET /held HTTP/1.1\r\nHost: a\r\n\r\n');
  const [first, second] = [await fixture.connect(), await fixture.connect()];
  for (const client of [first, second]) {
    client.socket.write(GET);
    await client.until(/ok$/);
  }
  const newcomer = await fixture.connect();
  newcomer.socket.write(GET);
  await newcomer.until(/ok$/);
  assert.match(await first.rest(), /ok$/);
  assert.equal(served.socket.destroyed || second.socket.destroyed, false);
  for (const client of [served, second, newcomer]) client.socket.destroy();
});

test('answers that nobody takes are held up to a bound; then whoever has waited longest is cut', async (t) => {
  const clock = new FakeClock();
  const fixture = await gatewayFixture(t, { clock, limits: { maxPendingBytes: 96 * 1024 * 1024 } });
  const exchanges: HttpExchange[] = [];
  fixture.runs('shop', ['/*'], {
    http: async (exchange) => {
      exchanges.push(exchange);
      exchange.response.head({ status: 200, headers: [] });
      exchange.response.data(Buffer.alloc(64 * 1024 * 1024));
      exchange.response.end();
      return OK;
    },
  });
  const clients: RawClient[] = [];
  for (let i = 0; i < 2; i++) {
    const client = await fixture.connect();
    client.socket.pause();
    client.socket.write(GET);
    clients.push(client);
    await fixture.logged(i + 1);
    await clock.advance(100);
  }
  await clock.advance(1_000);
  while (fixture.gateway.connections > 1) await turn();
  for (const { socket } of clients) socket.resume();
  const first = await clients[0]!.rest();
  assert.ok(first.length < 64 * 1024 * 1024, 'the one that has waited longest is cut');
  clients[1]!.socket.destroy();
});

test('a connection that has been answered is closed after its idle time, one that never asked after a head’s', async (t) => {
  const clock = new FakeClock();
  const fixture = await gatewayFixture(t, { clock, limits: { keepAliveMs: 5_000, headersTimeoutMs: 1_000 } });
  fixture.runs('shop', ['/*'], answering(200, [], 'ok'));
  const [asked, silent] = [await fixture.connect(), await fixture.connect()];
  asked.socket.write(GET);
  await asked.until(/ok$/);
  while (fixture.gateway.connections < 2) await turn();
  await clock.advance(1_250);
  assert.equal(await silent.rest(), '');
  assert.equal(fixture.gateway.connections, 1);
  await clock.advance(5_000);
  assert.match(await asked.rest(), /ok$/);
});

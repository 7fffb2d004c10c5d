import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { answering, OK } from './testing/fake-instance.ts';
import { gatewayFixture } from './testing/gateway-fixture.ts';

const IDLE_MS = 5_000;
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test('leaving: an idle connection is left open for a while, and its next answer is its last', async (t) => {
  const fixture = await gatewayFixture(t, { clock: new FakeClock() });
  fixture.runs('shop', ['/*'], answering(200, [], 'ok'));
  const client = await fixture.connect();
  client.socket.write(GET);
  await client.until(/ok$/);
  assert.doesNotMatch(client.text, /Connection: close/);
  const left = fixture.gateway.releaseListening(IDLE_MS);
  client.socket.write(GET);
  await client.until(/ok[^]*Connection: close[^]*ok$/);
  client.socket.destroy();
  await left;
  assert.equal(fixture.gateway.connections, 0);
});

test('leaving: whoever is still idle when the time is over is closed, what is in flight goes on', async (t) => {
  const clock = new FakeClock();
  const fixture = await gatewayFixture(t, { clock });
  let go = (): void => undefined;
  const gate = new Promise<void>((resolve) => void (go = resolve));
  const begun = new Promise<void>((resolve) => {
    fixture.runs('shop', ['/*'], {
      http: async ({ response }) => {
        resolve();
        await gate;
        response.head({ status: 200, headers: [] });
        response.data(Buffer.from('whole'));
        response.end();
        return OK;
      },
    });
  });
  const idle = await fixture.connect();
  const busy = await fixture.connect();
  busy.socket.write(GET);
  await begun;
  await fixture.connected(2);
  const left = fixture.gateway.releaseListening(IDLE_MS);
  await clock.advance(IDLE_MS - 1);
  assert.equal(idle.socket.destroyed, false);
  await clock.advance(1);
  await left;
  await idle.rest();
  assert.equal(fixture.gateway.connections, 1);
  const closed = fixture.gateway.close(60_000);
  go();
  await busy.until(/Connection: close[^]*whole$/);
  busy.socket.destroy();
  await closed;
});

test('leaving: nobody new comes in, and with nobody there it is over at once', async (t) => {
  const fixture = await gatewayFixture(t, { clock: new FakeClock() });
  await fixture.gateway.releaseListening(IDLE_MS);
  const late = connect(fixture.port, '127.0.0.1');
  await assert.rejects(once(late, 'connect'), { code: 'ECONNREFUSED' });
});

test('close: a request whose head has half come is answered, and nothing after it', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', ['/*'], answering(200, [], 'ok'));
  const client = await fixture.connect();
  client.socket.write(GET);
  await client.until(/ok$/);
  client.socket.write('GET /half HTTP/1.1\r\nHo');
  // Behind it on another connection: when that is answered, this one's half has been read.
  const other = await fixture.connect();
  other.socket.write(GET);
  await other.until(/ok$/);
  other.socket.destroy();
  const closed = fixture.gateway.close(10_000);
  client.socket.write('st: a\r\n\r\n');
  await client.until(/Connection: close[^]*ok$/);
  client.socket.destroy();
  await closed;
  const paths = fixture.lines.map(({ fields }) => fields!['path']);
  assert.ok(paths.includes('/half'));
});

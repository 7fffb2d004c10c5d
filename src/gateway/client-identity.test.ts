import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { test } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { answering } from './testing/fake-instance.ts';
import { gatewayFixture } from './testing/gateway-fixture.ts';

const SAID = { 'x-forwarded-for': '6.6.6.6, 203.0.113.9' };

test('who asks is known however it asks: over HTTP/1.1, HTTP/2 and for a WebSocket, behind a proxy of the machine’s or of the app’s', async (t) => {
  for (const trust of [
    { trustedProxies: ['127.0.0.1'] },
    { settings: { trustedProxies: ['127.0.0.1'], cors: null } },
  ]) {
    const fixture = await gatewayFixture(t, trust);
    fixture.runs('shop', ['/*'], answering(200, [], 'ok'));
    const { port, ca } = await fixture.listenTls(t);
    await fetch(`${fixture.url}/`, { headers: SAID });
    const session = connect(`https://127.0.0.1:${port}`, { ca, servername: 'a.test' });
    t.after(() => session.destroy());
    const stream = session.request({ ':path': '/', ...SAID });
    await once(stream.resume(), 'end');
    await fixture.raw(
      'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.9\r\n\r\n',
    );
    const clients = fixture.dispatcher.ran.map(({ seed }) => seed.client);
    assert.deepEqual(clients, ['203.0.113.9', '203.0.113.9', '203.0.113.9']);
  }
});

test('a stranger’s word about itself is not believed', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', ['/*'], answering(200, [], 'ok'));
  await fetch(`${fixture.url}/`, { headers: SAID });
  assert.equal(fixture.dispatcher.ran[0]!.seed.client, '127.0.0.1');
});

test('a refused upgrade is told when to come again', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', ['/*'], answering(200, [], 'ok'));
  fixture.dispatcher.refusal = new FulcrumError('rate-limited', 'Too often.', { retryAfterS: 7 });
  const answer = await fixture.raw(
    'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  );
  assert.match(answer, /^HTTP\/1\.1 429 /);
  assert.match(answer, /^Retry-After: 7\r$/m);
});

import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { answering } from './testing/fake-instance.ts';
import { GatewayFixture } from './testing/gateway-fixture.ts';

async function scene(
  t: TestContext,
  httpsPort: number,
  trustedProxies: readonly string[] = [],
): Promise<(path: string, headers?: Record<string, string>, method?: string) => Promise<[number, string]>> {
  const fixture = new GatewayFixture({ trustedProxies });
  fixture.runs('shop', ['/*'], answering(200, [], 'ok'));
  const { port } = await fixture.gateway.listenRedirect({ port: 0, host: '127.0.0.1' }, httpsPort);
  t.after(() => fixture.gateway.close(0));
  return (path, headers = { Host: 'a.test' }, method = 'GET') =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ port, host: '127.0.0.1', path, headers, method, agent: false });
      request.on('error', reject);
      request.on('response', (response) => {
        response.resume();
        response.on('end', () => resolve([response.statusCode!, response.headers.location ?? '']));
      });
      request.end();
    });
}

test('clients of plain HTTP are sent to https, with host, path and query kept', async (t) => {
  const ask = await scene(t, 443);
  assert.deepEqual(await ask('/x/y?z=1'), [308, 'https://a.test/x/y?z=1']);
  assert.deepEqual(await ask('/', { Host: 'a.test:8080' }), [308, 'https://a.test/']);
  assert.deepEqual(await ask('/', { Host: '[::1]:8080' }), [308, 'https://[::1]/']);
  assert.deepEqual(await ask('//evil.test/'), [308, 'https://a.test//evil.test/']);
  assert.deepEqual(await ask('/', undefined, 'POST'), [308, 'https://a.test/']);
});

test('to the port where TLS is spoken, where that is another', async (t) => {
  const ask = await scene(t, 8443);
  assert.deepEqual(await ask('/', { Host: 'a.test:8080' }), [308, 'https://a.test:8443/']);
});

test('a challenge of a certificate authority is served as it came', async (t) => {
  const ask = await scene(t, 443);
  assert.deepEqual(await ask('/.well-known/acme-challenge/abc'), [200, '']);
  assert.deepEqual(await ask('/.well-known/acme-challenge/../../x'), [308, 'https://a.test/x']);
});

test('what a trusted proxy took over https is served; nobody else can say so', async (t) => {
  const said = { Host: 'a.test', 'X-Forwarded-Proto': 'https' };
  assert.deepEqual(await (await scene(t, 443, ['127.0.0.1']))('/', said), [200, '']);
  assert.deepEqual(await (await scene(t, 443))('/', said), [308, 'https://a.test/']);
});

test('whoever asks for a WebSocket is sent on, too', async (t) => {
  const ask = await scene(t, 443);
  const headers = { Host: 'a.test', Connection: 'Upgrade', Upgrade: 'websocket' };
  assert.deepEqual(await ask('/chat', headers), [308, 'https://a.test/chat']);
});

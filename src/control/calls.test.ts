import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { ApiWorld } from './fixtures/api-world.ts';
import { ask, type Answer } from './fixtures/ask.ts';
import type { FakePort } from './fixtures/fake-port.ts';

describe('GET /v1/apps/{app}/calls', () => {
  let world: ApiWorld;
  let port: FakePort;
  let authorization: string;

  before(async () => {
    world = await ApiWorld.start();
    port = world.host.ports.get('shop') as FakePort;
    authorization = `Bearer ${await world.token({ scope: 'read', apps: ['shop'] })}`;
  });
  after(() => world.end());
  beforeEach(() => (port.windowsMs.length = 0));

  const get = (path: string): Promise<Answer> =>
    ask(world.http, `/v1${path}`, { headers: { authorization } });

  test('is for who may read, of five minutes where nothing else is asked', async () => {
    const answer = await get('/apps/shop/calls');
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, JSON.parse(JSON.stringify(port.graph)));
    await get('/apps/shop/calls?window=1m30s');
    await get('/apps/shop/calls?window=1h');
    assert.deepEqual(port.windowsMs, [300_000, 90_000, 3_600_000]);
    assert.equal((await ask(world.http, '/v1/apps/shop/calls')).status, 401);
    assert.equal((await get('/apps/blog/calls')).status, 404);
  });

  test('says what a window is, where what is asked is none', async () => {
    for (const window of ['5', '', 'soon', '0s', '999ms', '61m', '2h', '-5m', `${'1'.repeat(60)}m`]) {
      const { status, json } = await get(`/apps/shop/calls?window=${encodeURIComponent(window)}`);
      assert.equal(status, 400, window);
      assert.equal(json['code'], 'bad-request');
      assert.match(json['detail'] as string, /^The request is not valid: window: /);
    }
    assert.match((await get('/apps/shop/calls?window=2h')).json['detail'] as string, /from 1s to 60m/);
    assert.equal((await get('/apps/shop/calls?windows=5m')).status, 400);
    assert.deepEqual(port.windowsMs, []);
  });

  test('has nothing to tell of what does not run', async () => {
    world.host.ports.delete('blog');
    const { status, json } = await ask(world.http, '/v1/apps/blog/calls', {
      headers: { authorization: `Bearer ${world.ownToken}` },
    });
    assert.deepEqual([status, json['code']], [404, 'not-found']);
  });
});

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { ApiWorld } from './fixtures/api-world.ts';
import { ask, type Answer } from './fixtures/ask.ts';
import { capacityReport } from './fixtures/capacity-report.ts';
import type { FakePort } from './fixtures/fake-port.ts';

const MB = 1024 ** 2;

describe('GET /v1/server', () => {
  test('tells a token of one app what is free to 5 %, and others all', async (t) => {
    const world = await ApiWorld.start();
    t.after(() => world.end());
    const rest = { memoryBytes: 2_000 * MB, cpus: 2, pressed: false, waiting: 0 };
    const budget = { ...rest, promisedBytes: 801 * MB, keptBytes: 0 };
    Object.assign(world.host, { budget: () => budget });
    const told = async (apps: string[] | null): Promise<unknown> => {
      const authorization = `Bearer ${await world.token({ scope: 'read', apps })}`;
      return (await ask(world.http, '/v1/server', { headers: { authorization } })).json['budget'];
    };
    assert.deepEqual(await told(null), budget);
    assert.deepEqual(await told(['shop']), { ...rest, promisedBytes: 900 * MB, keptBytes: 0 });
  });
});

describe('GET /v1/apps/{app}/capacity', () => {
  let world: ApiWorld;
  let port: FakePort;
  let authorization: string;

  before(async () => {
    world = await ApiWorld.start();
    port = world.host.ports.get('shop') as FakePort;
    authorization = `Bearer ${await world.token({ id: 't_reader', name: 'reader', scope: 'read', apps: ['shop'] })}`;
  });
  after(() => world.end());
  beforeEach(() => (port.asked.length = 0));

  const get = (path: string): Promise<Answer> =>
    ask(world.http, `/v1${path}`, { headers: { authorization } });

  test('is for who may read, of thirty days where nothing else is asked', async () => {
    const answer = await get('/apps/shop/capacity');
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, capacityReport());
    await get('/apps/shop/capacity?days=90');
    assert.deepEqual(port.asked, [
      { capacity: 30, reader: 'app' },
      { capacity: 90, reader: 'app' },
    ]);
    assert.equal((await ask(world.http, '/v1/apps/shop/capacity')).status, 401);
    assert.equal((await get('/apps/blog/capacity')).status, 404);
  });

  test('is of all apps only for who may know of all', async () => {
    const token = await world.token({ scope: 'read', apps: null });
    await ask(world.http, '/v1/apps/shop/capacity', { headers: { authorization: `Bearer ${token}` } });
    assert.deepEqual(port.asked, [{ capacity: 30, reader: 'server' }]);
  });

  test('refuses days that are no number from 1 to 90, and what else is asked', async () => {
    for (const query of ['days=0', 'days=91', 'days=1.5', 'days=many', 'days=', 'weeks=1']) {
      const answer = await get(`/apps/shop/capacity?${query}`);
      assert.deepEqual([answer.status, answer.json['code']], [400, 'bad-request'], query);
      assert.match(String(answer.json['detail']), /days|weeks/, query);
    }
    assert.deepEqual(port.asked, []);
  });

  test('passes on what the store fails with', async () => {
    const { capacity } = port;
    port.capacity = () => Promise.reject(new FulcrumError('store-failed', 'The disk is gone.'));
    const answer = await get('/apps/shop/capacity');
    port.capacity = capacity;
    assert.equal(answer.json['code'], 'store-failed');
  });
});

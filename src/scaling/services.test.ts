import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Scene, revision } from './testing/scene.ts';

const service = (o: Parameters<typeof revision>[1] = {}): ReturnType<typeof revision> =>
  revision('shop', { mode: 'service', ...o });

describe('a service', () => {
  it('has its replicas before it is deployed, and keeps them', async () => {
    const scene = await Scene.of(service({ service: { minReplicas: 2, maxReplicas: 2 } }));
    assert.deepEqual(
      scene.status('shop').instances.map(({ state, reason, mode }) => [state, reason, mode]),
      [
        ['ready', 'deploy: replica 1 of 2', 'service'],
        ['ready', 'deploy: replica 2 of 2', 'service'],
      ],
    );
    await scene.pass(3_600_000);
    assert.equal(scene.runtime.orders.length, 2);
  });

  it('gives work to the least loaded replica', async () => {
    const scene = await Scene.of(service({ service: { minReplicas: 3, maxReplicas: 3 } }));
    const all = Promise.all(Array.from({ length: 9 }, () => scene.send('shop')));
    assert.deepEqual(
      scene.status('shop').instances.map(({ inFlight }) => inFlight),
      [3, 3, 3],
    );
    await scene.meanwhile(all);
  });

  it('lets wait what is above its concurrency', async () => {
    const scene = await Scene.of(service({ service: { concurrency: 2 } }));
    const all = Promise.all(Array.from({ length: 5 }, () => scene.send('shop')));
    assert.equal(scene.status('shop').queued, 3);
    assert.ok((await scene.meanwhile(all)).every(({ outcome }) => outcome === 'ok'));
    assert.deepEqual(scene.runtime.breaches, []);
    assert.equal(scene.runtime.orders.length, 1);
  });

  it('restarts a dead replica with a growing back-off, and serves who waited', async () => {
    const scene = await Scene.of(service());
    const first = scene.runtime.instances[0]!;
    first.crash();
    const waiting = scene.send('shop');
    await scene.pass(99);
    assert.equal(scene.runtime.orders.length, 1);
    await scene.pass(1);
    assert.equal(scene.runtime.orders.length, 2);
    assert.equal((await scene.meanwhile(waiting)).outcome, 'ok');
    assert.equal(scene.status('shop').instances[0]!.reason, `replaces ${first.id} (exit code 1)`);
    assert.match(scene.status('shop').lastError!, /exit code 1/);

    scene.runtime.instances[1]!.crash();
    await scene.pass(199);
    assert.equal(scene.runtime.orders.length, 2);
    await scene.pass(1);
    assert.equal(scene.runtime.orders.length, 3);
  });

  it('goes on trying where a restart fails, and who waits is served in the end', async () => {
    const scene = await Scene.of(service());
    scene.runtime.onStart = (_, nth) => (nth < 6 ? { takesMs: 5, fails: 'no database' } : { takesMs: 5 });
    scene.runtime.instances[0]!.crash();
    const waiting = scene.send('shop');
    assert.equal((await scene.meanwhile(waiting)).outcome, 'ok');
    assert.equal(scene.runtime.orders.length, 6);
  });

  it('bounds the wait for a replica by the deadline', async () => {
    const scene = await Scene.of(service({ service: { timeoutMs: 500 } }));
    scene.runtime.onStart = () => ({ takesMs: 5, fails: 'no database' });
    scene.runtime.instances[0]!.crash();
    const waiting = scene.send('shop');
    await scene.pass(510);
    const { outcome, error } = await waiting;
    assert.deepEqual([outcome, error!.code, error!.retryAfterS], ['refused', 'overloaded', 1]);
    assert.equal(scene.usage.at(-1)!.status, 503);
    assert.equal(scene.status('shop').queued, 0);
  });

  it('replaces a replica after three misses, the new one first', async () => {
    const scene = await Scene.of(service({ service: { healthIntervalMs: 1_000 } }));
    const [ill] = scene.runtime.instances;
    ill!.health = 'bad';
    const long = scene.send('shop', 8_000);
    await scene.pass(2_950);
    assert.equal(scene.runtime.orders.length, 1);
    await scene.pass(40);
    assert.equal(scene.runtime.orders.length, 2);
    assert.equal(ill!.state, 'ready', 'stays until the new one is ready');
    const meanwhile = scene.send('shop', 1);
    await scene.pass(25);
    assert.equal((await meanwhile).outcome, 'ok');
    assert.equal(ill!.served, 0, 'new work goes to the sound one');
    assert.equal(ill!.state, 'draining');
    assert.equal((await scene.meanwhile(long)).outcome, 'ok', 'what it had begun is finished');
    await scene.pass(10);
    assert.equal(ill!.state, 'ended');
    assert.match(scene.status('shop').lastError!, /missed 3 health checks: status 500/);
  });

  it('forgives misses that do not come one after the other', async () => {
    const scene = await Scene.of(service({ service: { healthIntervalMs: 1_000 } }));
    const [one] = scene.runtime.instances;
    for (let i = 0; i < 5; i++) {
      one!.health = 'bad';
      await scene.pass(2_000);
      one!.health = 'well';
      await scene.pass(1_000);
    }
    assert.equal(scene.runtime.orders.length, 1);
  });

  it('uses a failing replica as the last resort, while no other can be started', async () => {
    const scene = await Scene.of(service({ service: { healthIntervalMs: 1_000 } }));
    scene.runtime.onStart = () => ({ takesMs: 5, fails: 'no' });
    scene.runtime.instances[0]!.health = 'bad';
    await scene.pass(3_050);
    assert.equal((await scene.meanwhile(scene.send('shop'))).outcome, 'ok');
    assert.equal(scene.runtime.live.size, 1);
  });

  it('is not replaced for a timeout', async () => {
    const scene = await Scene.of(service({ service: { timeoutMs: 100 } }));
    const end = scene.send('shop', Number.POSITIVE_INFINITY);
    await scene.pass(110);
    assert.equal((await end).outcome, 'timeout');
    assert.equal(scene.runtime.instances[0]!.state, 'ready');
    assert.equal(scene.status('shop').instances[0]!.inFlight, 0);
  });

  it('cuts off what is still at it when the drain is over', async () => {
    const scene = await Scene.of(service({ service: { drainMs: 1_000, timeoutMs: 60_000 } }));
    const stream = scene.send('shop', Number.POSITIVE_INFINITY);
    await scene.meanwhile(scene.scaler.deploy(new Map()));
    assert.equal(scene.runtime.instances[0]!.drained, true);
    await scene.pass(999);
    assert.equal(scene.runtime.instances[0]!.state, 'draining');
    await scene.pass(10);
    assert.equal((await stream).outcome, 'crashed');
    assert.equal(scene.runtime.live.size, 0);
    assert.equal(scene.runtime.instances[0]!.stopReason, 'the component was removed');
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Scene, revision, revisions } from './testing/scene.ts';

describe('close', () => {
  it('refuses new work, finishes what is there, and leaves nothing', async () => {
    const scene = await Scene.of(
      revision('shop', { mode: 'service', service: { minReplicas: 2, maxReplicas: 2 } }),
      revision('cart'),
    );
    const inFlight = [scene.send('shop', 100), scene.send('cart', 100)];
    const closing = scene.scaler.close(5_000);
    const refused = await scene.send('shop');
    assert.deepEqual([refused.outcome, refused.error!.code], ['refused', 'shutting-down']);
    await scene.meanwhile(closing);
    for (const end of await Promise.all(inFlight)) assert.equal(end.outcome, 'ok');
    assert.equal(scene.runtime.live.size + scene.runtime.starting, 0);
    await assert.rejects(scene.scaler.setMode('shop', 'function'), { code: 'shutting-down' });
    await assert.rejects(scene.scaler.deploy(new Map()), { code: 'shutting-down' });
    await scene.pass(60_000);
    assert.equal(scene.clock.pending, 0);
  });

  it('lets work in flight still call other components', async () => {
    const scene = await Scene.of(revision('shop', { mode: 'service' }), revision('cart'));
    const parent = scene.send('shop', 200);
    const closing = scene.scaler.close(5_000);
    await scene.pass(50);
    const call = scene.send('cart', 50, { trigger: 'call' });
    assert.equal((await scene.meanwhile(call)).outcome, 'ok');
    assert.equal((await scene.meanwhile(parent)).outcome, 'ok');
    await scene.meanwhile(closing);
    assert.equal((await scene.send('cart', 50, { trigger: 'call' })).error!.code, 'shutting-down');
  });

  it('tells streams to go, and cuts them off when the time is over', async () => {
    const scene = await Scene.of(revision('shop', { mode: 'service', service: { timeoutMs: 60_000 } }));
    const stream = scene.send('shop', Number.POSITIVE_INFINITY);
    const closing = scene.scaler.close(900);
    await scene.pass(320);
    assert.equal(scene.runtime.instances[0]!.drained, true, 'with two thirds of the time left');
    await scene.pass(570);
    assert.equal(scene.runtime.live.size, 1);
    await scene.meanwhile(closing);
    assert.equal((await stream).outcome, 'crashed');
  });

  it('refuses who still waits when the time is over', async () => {
    const scene = await Scene.of(revision('shop', { function: { maxInstances: 1 } }));
    const all = [scene.send('shop', 100_000), scene.send('shop', 10)];
    await scene.pass(30);
    await scene.meanwhile(scene.scaler.close(300));
    assert.deepEqual(
      (await Promise.all(all)).map(({ error }) => error!.code),
      ['instance-crashed', 'shutting-down'],
    );
  });

  it('the dispatcher tells its work to end', async () => {
    const scene = await Scene.of(revision('shop', { mode: 'service' }));
    const stream = scene.send('shop', Number.POSITIVE_INFINITY);
    scene.dispatcher.abortAll();
    const end = await stream;
    assert.deepEqual([end.outcome, end.error!.code], ['cancelled', 'shutting-down']);
    assert.equal(scene.dispatcher.running, 0);
  });

  it('in the middle of deploys and switches: they are refused, and nothing is left', async () => {
    const scene = await Scene.of(revision('shop'), revision('cart', { mode: 'service' }));
    const under = [
      scene.scaler.setMode('shop', 'service'),
      scene.scaler.setMode('shop', 'function'),
      scene.scaler.setMode('cart', 'function'),
      scene.scaler.deploy(revisions(revision('shop', { id: 'bbbbbbbbbbbb', mode: 'service' }))),
      scene.scaler.deploy(revisions(revision('mail', { mode: 'service' }))),
    ].map((operation) =>
      operation.then(
        () => 'done',
        (error: { code: string }) => error.code,
      ),
    );
    await scene.pass(5);
    await scene.meanwhile(scene.scaler.close(1_000));
    assert.deepEqual(
      await Promise.all(under),
      Array.from({ length: 5 }, () => 'shutting-down'),
    );
    assert.equal(scene.runtime.live.size + scene.runtime.starting, 0);
  });

  it('gives up a deploy that is still starting, without waiting for it', async () => {
    const scene = await Scene.of(revision('shop'));
    scene.runtime.onStart = () => ({ takesMs: 30_000 });
    const deploying = scene.scaler.deploy(revisions(revision('mail', { mode: 'service' })));
    const refused = assert.rejects(deploying, { code: 'shutting-down' });
    await scene.pass(5);
    await scene.meanwhile(scene.scaler.close(0), 100);
    await refused;
    assert.equal(scene.runtime.starting, 0);
  });

  it('waits for what a failed deploy had begun', async () => {
    const scene = await Scene.of(revision('shop'));
    scene.runtime.stopMs = 500;
    scene.runtime.onStart = ({ revision: { spec } }) =>
      spec.name === 'mail' ? { takesMs: 30, fails: 'no' } : { takesMs: 5 };
    const deploying = scene.scaler.deploy(
      revisions(revision('good', { mode: 'service' }), revision('mail', { mode: 'service' })),
    );
    await assert.rejects(scene.meanwhile(deploying), { code: 'start-failed' });
    assert.equal(scene.runtime.live.size, 1);
    await scene.meanwhile(scene.scaler.close(0));
    assert.equal(scene.runtime.live.size, 0);
  });

  it('does not wait for ever for a start that never ends', async () => {
    const scene = await Scene.of(revision('shop'));
    scene.runtime.onStart = () => ({ takesMs: 0, never: true });
    const waiting = scene.send('shop');
    await scene.pass(5);
    await scene.meanwhile(scene.scaler.close(100), 20_000);
    assert.equal((await waiting).error!.code, 'shutting-down');
  });

  it('does not wait for a first deploy that failed and left nothing', async () => {
    const scene = new Scene();
    scene.runtime.onStart = ({ revision: { spec } }) =>
      spec.name === 'mail' ? { takesMs: 30, fails: 'no' } : { takesMs: 5 };
    const deploying = scene.scaler.deploy(revisions(revision('cart'), revision('mail', { mode: 'service' })));
    await assert.rejects(scene.meanwhile(deploying), { code: 'start-failed' });
    await scene.pass(100);
    await scene.meanwhile(scene.scaler.close(0), 10);
  });

  it('is not over with the last removed component, while others still drain', async () => {
    const scene = await Scene.of(revision('shop'), revision('cart', { mode: 'service' }));
    scene.runtime.stopMs = 20;
    const slow = scene.send('shop', 500);
    await scene.pass(30);
    await scene.meanwhile(scene.scaler.deploy(revisions(revision('shop'))));
    await scene.meanwhile(scene.scaler.close(3_000));
    assert.equal(scene.runtime.live.size, 0);
    assert.equal((await slow).outcome, 'ok');
  });

  it('without time to drain kills what is there, by no timer', async () => {
    const scene = await Scene.of(revision('shop', { mode: 'service' }), revision('cart'));
    scene.runtime.stopMs = 60_000;
    const stream = scene.send('shop', Number.POSITIVE_INFINITY);
    const calls = scene.send('cart', Number.POSITIVE_INFINITY);
    await scene.pass(30);
    const closing = scene.scaler.close(0);
    await scene.pass(0);
    assert.deepEqual(
      scene.runtime.instances.map(({ killed }) => killed?.code),
      ['shutting-down', 'shutting-down'],
    );
    await scene.meanwhile(closing, 10);
    for (const { outcome } of await Promise.all([stream, calls])) assert.equal(outcome, 'crashed');
  });

  it('happens once', async () => {
    const scene = await Scene.of(revision('shop'));
    assert.equal(scene.scaler.close(10), scene.scaler.close(10_000));
  });
});

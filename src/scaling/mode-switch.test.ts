import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Scene, revision, revisions } from './testing/scene.ts';

describe('a mode switch', () => {
  it('to a service: replicas stand ready first, then the function instances go', async () => {
    const scene = await Scene.of(revision('shop', { service: { minReplicas: 2, maxReplicas: 2 } }));
    const slow = scene.send('shop', 500);
    await scene.pass(30);
    const switching = scene.scaler.setMode('shop', 'service');
    await scene.pass(10);
    assert.equal(scene.scaler.mode('shop'), 'function', 'not before the replicas are ready');
    assert.deepEqual(await scene.meanwhile(switching), { from: 'function', to: 'service', tookMs: 20 });
    assert.deepEqual(
      scene.status('shop').instances.map(({ mode, state, reason }) => [mode, state, reason]),
      [
        ['function', 'draining', 'queue 1'],
        ['service', 'ready', 'mode switch: replica 1 of 2'],
        ['service', 'ready', 'mode switch: replica 2 of 2'],
      ],
    );
    assert.equal((await scene.meanwhile(slow)).outcome, 'ok');
    await scene.pass(10);
    assert.equal(scene.runtime.live.size, 2);
    assert.equal(scene.runtime.instances[0]!.stopReason, 'mode switch to service');
    assert.ok(scene.story.includes('switched from function to service in 20 ms'));
    assert.equal(scene.usage[0]!.mode, 'function');
  });

  it('to a function: one instance proves it, as many as are busy are warmed up', async () => {
    const scene = await Scene.of(revision('shop', { mode: 'service' }));
    const busy = Array.from({ length: 3 }, () => scene.send('shop', 300));
    const { to } = await scene.meanwhile(scene.scaler.setMode('shop', 'function'));
    assert.equal(to, 'function');
    assert.deepEqual(
      scene.status('shop').instances.map(({ mode, reason }) => [mode, reason]),
      [
        ['service', 'deploy: replica 1 of 1'],
        ['function', 'mode switch: warm 1 of 3'],
        ['function', 'mode switch: warm 2 of 3'],
        ['function', 'mode switch: warm 3 of 3'],
      ],
    );
    assert.ok((await scene.meanwhile(Promise.all(busy))).every(({ outcome }) => outcome === 'ok'));
    await scene.pass(2_000);
    assert.equal(scene.runtime.live.size, 0, 'and with nothing to do nothing is left');
  });

  it('carries those who wait over', async () => {
    const scene = await Scene.of(revision('shop', { function: { maxInstances: 1 } }));
    const all = Array.from({ length: 6 }, () => scene.send('shop', 400));
    await scene.pass(30);
    assert.equal(scene.status('shop').queued, 5);
    await scene.meanwhile(scene.scaler.setMode('shop', 'service'));
    assert.equal(scene.status('shop').queued, 0);
    assert.ok((await scene.meanwhile(Promise.all(all))).every(({ outcome }) => outcome === 'ok'));
    assert.deepEqual(
      scene.usage.map(({ mode, waitedMs }) => [mode, waitedMs]),
      [['function', 20], ...Array.from({ length: 5 }, () => ['service', 50])],
    );
  });

  it('gives up instances that were starting, and their waiters go to the new mode', async () => {
    const scene = await Scene.of(revision('shop'));
    scene.runtime.onStart = ({ mode }) => ({ takesMs: mode === 'function' ? 5_000 : 20 });
    const cold = scene.send('shop');
    await scene.pass(1);
    await scene.meanwhile(scene.scaler.setMode('shop', 'service'));
    assert.equal((await scene.meanwhile(cold)).outcome, 'ok');
    assert.equal(scene.runtime.starting, 0);
    assert.equal(scene.usage[0]!.mode, 'service');
  });

  it('changes nothing where the new mode does not start', async () => {
    const scene = await Scene.of(revision('shop', { service: { minReplicas: 3, maxReplicas: 3 } }));
    scene.runtime.onStart = ({ mode }, nth) =>
      mode === 'service' && nth === 2 ? { takesMs: 5, fails: 'EADDRINUSE' } : { takesMs: 10 };
    await assert.rejects(scene.meanwhile(scene.scaler.setMode('shop', 'service')), {
      code: 'start-failed',
      message: /"shop".*EADDRINUSE/,
    });
    assert.equal(scene.scaler.mode('shop'), 'function');
    assert.equal(scene.status('shop').modeSetting, 'function');
    assert.match(scene.status('shop').lastError!, /EADDRINUSE/);
    await scene.pass(30);
    assert.equal(scene.runtime.live.size, 0, 'the replicas that had started are gone');
    assert.equal(scene.runtime.starting, 0);
    assert.equal((await scene.meanwhile(scene.send('shop'))).outcome, 'ok');
  });

  it('back in mid-switch happens after it, and is safe', async () => {
    const scene = await Scene.of(revision('shop'));
    const there = scene.scaler.setMode('shop', 'service');
    const back = scene.scaler.setMode('shop', 'function');
    const again = scene.scaler.setMode('shop', 'service');
    const modes = await scene.meanwhile(Promise.all([there, back, again]));
    assert.deepEqual(
      modes.map(({ from, to }) => [from, to]),
      [
        ['function', 'service'],
        ['service', 'function'],
        ['function', 'service'],
      ],
    );
    await scene.pass(2_000);
    assert.equal(scene.runtime.live.size, 1);
  });

  it('to what it already is does nothing but keep the choice', async () => {
    const scene = await Scene.of(revision('shop', { mode: 'auto' }));
    const { from, to } = await scene.scaler.setMode('shop', 'function');
    assert.deepEqual([from, to, scene.status('shop').modeSetting], ['function', 'function', 'function']);
    assert.equal(scene.runtime.orders.length, 0);
  });

  it('to auto keeps what it is, and what auto means is switched, and survives deploys', async () => {
    const scene = await Scene.of(revision('shop', { mode: 'auto' }));
    const { scaler } = scene;
    const first = await scene.meanwhile(scaler.setMode('shop', 'auto', 'service'));
    assert.deepEqual(
      [first.from, first.to, scene.status('shop').modeSetting],
      ['function', 'service', 'auto'],
    );
    await scene.meanwhile(scaler.deploy(revisions(revision('shop', { id: 'bbbbbbbbbbbb', mode: 'auto' }))));
    assert.equal(scaler.mode('shop'), 'service');
    assert.equal((await scene.meanwhile(scaler.setMode('shop', 'auto'))).to, 'service');
    await scene.meanwhile(scaler.setMode('shop', 'function'));
    assert.equal((await scene.meanwhile(scaler.setMode('shop', 'auto'))).to, 'function');
  });

  it('of an unknown component names the nearest', async () => {
    const scene = await Scene.of(revision('catalog'));
    await assert.rejects(scene.scaler.setMode('catlog', 'service'), {
      code: 'not-found',
      message: /"catalog"/,
    });
  });

  it('survives later deploys, until the config says something new', async () => {
    const scene = await Scene.of(revision('shop'));
    await scene.meanwhile(scene.scaler.setMode('shop', 'service'));
    await scene.meanwhile(scene.scaler.deploy(revisions(revision('shop', { id: 'bbbbbbbbbbbb' }))));
    assert.equal(scene.scaler.mode('shop'), 'service');
    assert.equal(scene.status('shop').revision, 'bbbbbbbbbbbb');
    await scene.meanwhile(
      scene.scaler.deploy(revisions(revision('shop', { id: 'bbbbbbbbbbbb', mode: 'auto' }))),
    );
    assert.deepEqual([scene.scaler.mode('shop'), scene.status('shop').modeSetting], ['function', 'auto']);
  });
});

import { NO_CALL_SINK, NO_CALLER } from '../model/calls.ts';
import { NO_PUBLISHER } from '../model/event.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../base/log.ts';
import { Scaler } from './scaler.ts';
import { Scene, revision, revisions } from './testing/scene.ts';

describe('a deploy', () => {
  it('of a service has the new replicas ready before the old ones go', async () => {
    const scene = await Scene.of(
      revision('shop', { mode: 'service', service: { minReplicas: 2, maxReplicas: 2 } }),
    );
    const slow = scene.send('shop', 500);
    const deploying = scene.scaler.deploy(
      revisions(revision('shop', { id: 'bbbbbbbbbbbb', mode: 'service' })),
    );
    await scene.pass(10);
    assert.equal(scene.status('shop').revision, 'aaaaaaaaaaaa');
    await scene.meanwhile(deploying);
    assert.equal(scene.status('shop').revision, 'bbbbbbbbbbbb');
    await scene.pass(10);
    assert.deepEqual(
      scene.status('shop').instances.map(({ revision, state }) => [revision, state]),
      [
        ['aaaaaaaaaaaa', 'draining'],
        ['bbbbbbbbbbbb', 'ready'],
      ],
    );
    assert.equal((await scene.meanwhile(slow)).outcome, 'ok');
    assert.equal(scene.usage[0]!.revision, 'aaaaaaaaaaaa');
    await scene.pass(10);
    assert.equal(scene.runtime.live.size, 1);
  });

  it('of a function is routed once an instance of it stands; the old ones finish what they have', async () => {
    const scene = await Scene.of(revision('shop'));
    await scene.meanwhile(scene.send('shop'));
    const slow = scene.send('shop', 300);
    await scene.meanwhile(scene.scaler.deploy(revisions(revision('shop', { id: 'bbbbbbbbbbbb' }))));
    assert.equal((await scene.meanwhile(scene.send('shop'))).outcome, 'ok');
    assert.equal((await scene.meanwhile(slow)).outcome, 'ok');
    assert.deepEqual(
      scene.usage.map(({ revision }) => revision),
      ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'aaaaaaaaaaaa'],
    );
  });

  it('of a function that does not start changes nothing: the old revision goes on', async () => {
    const scene = await Scene.of(revision('shop'));
    scene.runtime.onStart = ({ revision }) =>
      revision.id === 'bbbbbbbbbbbb' ? { takesMs: 5, fails: 'it throws' } : { takesMs: 5 };
    const deploying = scene.scaler.deploy(revisions(revision('shop', { id: 'bbbbbbbbbbbb' })));
    await assert.rejects(scene.meanwhile(deploying), { code: 'start-failed', message: /it throws/ });
    assert.equal((await scene.meanwhile(scene.send('shop'))).outcome, 'ok');
    assert.equal(scene.usage.at(-1)!.revision, 'aaaaaaaaaaaa');
  });

  it('leaves what is unchanged alone, and replaces what has a new environment', async () => {
    const shop = revision('shop', { mode: 'service' });
    const cart = revision('cart', { mode: 'service' });
    const scene = await Scene.of(shop, cart);
    const before = scene.status('shop').instances[0]!.id;
    await scene.meanwhile(
      scene.scaler.deploy(revisions(shop, revision('cart', { mode: 'service', envDigest: 'other' }))),
    );
    assert.equal(scene.status('shop').instances[0]!.id, before);
    assert.equal(scene.runtime.orders.length, 3);
  });

  it('changes nothing where one component does not start, and stops what it had begun', async () => {
    const scene = await Scene.of(revision('shop', { mode: 'service' }), revision('cart'));
    scene.runtime.onStart = ({ revision }) =>
      revision.spec.name === 'mail' ? { takesMs: 30, fails: 'no SMTP' } : { takesMs: 5 };
    const deploying = scene.scaler.deploy(
      revisions(
        revision('shop', {
          id: 'bbbbbbbbbbbb',
          mode: 'service',
          service: { minReplicas: 2, maxReplicas: 2 },
        }),
        revision('cart', { id: 'bbbbbbbbbbbb' }),
        revision('mail', { mode: 'service' }),
      ),
    );
    await assert.rejects(scene.meanwhile(deploying), { code: 'start-failed', message: /"mail".*no SMTP/ });
    assert.deepEqual(
      scene.scaler.status().map(({ name, revision }) => [name, revision]),
      [
        ['shop', 'aaaaaaaaaaaa'],
        ['cart', 'aaaaaaaaaaaa'],
      ],
    );
    await scene.pass(20);
    assert.equal(scene.runtime.live.size, 1);
    assert.equal((await scene.meanwhile(scene.send('shop'))).outcome, 'ok');
    assert.equal((await scene.meanwhile(scene.send('cart'))).outcome, 'ok');
    await scene.meanwhile(scene.scaler.close(0));
  });

  it('stops what it had begun where a component has no runtime', async () => {
    const scene = new Scene();
    const scaler = new Scaler({
      runtimeFor: ({ name }) => {
        if (name === 'odd') throw new Error('no runtime');
        return scene.runtime;
      },
      clock: scene.clock,
      logger: silentLogger,
      home: {
        caller: NO_CALLER,
        calls: NO_CALL_SINK,
        components: () => [],
        publisher: NO_PUBLISHER,
        log: { write: () => undefined },
        env: {},
      },
      startsAtOnce: 8,
      habits: scene.habits,
    });
    await scene.meanwhile(scaler.deploy(revisions(revision('shop', { mode: 'service' }))));
    const next = revision('shop', { mode: 'service', id: 'bbbbbbbbbbbb' });
    const deploying = scaler.deploy(revisions(next, revision('odd')));
    await assert.rejects(scene.meanwhile(deploying), /no runtime/);
    await scene.pass(50);
    assert.equal(scene.runtime.live.size + scene.runtime.starting, 1, 'the one that serves');
  });

  it('serves who waits for a removed component, and refuses who comes after', async () => {
    const scene = await Scene.of(revision('shop', { function: { maxInstances: 1 } }));
    const all = Array.from({ length: 4 }, () => scene.send('shop', 50));
    await scene.pass(30);
    await scene.meanwhile(scene.scaler.deploy(new Map()));
    const after = await scene.send('shop');
    assert.deepEqual([after.outcome, after.error!.code], ['refused', 'not-found']);
    assert.ok((await scene.meanwhile(Promise.all(all))).every(({ outcome }) => outcome === 'ok'));
    await scene.pass(20);
    assert.equal(scene.runtime.live.size, 0);
    assert.equal(scene.runtime.orders.length, 1);
  });

  it('serves who waits for a removed service too', async () => {
    const scene = await Scene.of(revision('shop', { mode: 'service', service: { concurrency: 1 } }));
    const all = Array.from({ length: 3 }, () => scene.send('shop', 50));
    await scene.meanwhile(scene.scaler.deploy(new Map()));
    assert.ok((await scene.meanwhile(Promise.all(all))).every(({ outcome }) => outcome === 'ok'));
    await scene.pass(20);
    assert.equal(scene.runtime.live.size, 0);
  });

  it('goes away at once where the last who waited for a removed component leaves', async () => {
    const scene = await Scene.of(revision('shop'));
    const abort = new AbortController();
    const waiting = scene.send('shop', 50, { signal: abort.signal });
    await scene.pass(1);
    await scene.meanwhile(scene.scaler.deploy(new Map()));
    abort.abort();
    assert.equal((await waiting).outcome, 'cancelled');
    await scene.pass(5);
    assert.equal(scene.runtime.starting, 0);
  });

  it('deploys and switches take turns', async () => {
    const scene = await Scene.of(revision('shop'));
    const all = Promise.all([
      scene.scaler.setMode('shop', 'service'),
      scene.scaler.deploy(revisions(revision('shop', { id: 'bbbbbbbbbbbb' }), revision('cart'))),
      scene.scaler.setMode('shop', 'function'),
      scene.scaler.deploy(revisions(revision('shop', { id: 'cccccccccccc' }))),
      scene.scaler.setMode('shop', 'service'),
    ]);
    await scene.meanwhile(all);
    assert.deepEqual(
      scene.scaler.status().map(({ name, revision, mode }) => [name, revision, mode]),
      [['shop', 'cccccccccccc', 'service']],
    );
    await scene.pass(3_000);
    assert.equal(scene.runtime.live.size, 1);
  });

  it('a switch that waited while its component was removed says so', async () => {
    const scene = await Scene.of(revision('shop'));
    const first = scene.scaler.setMode('shop', 'service');
    const removing = scene.scaler.deploy(new Map());
    await scene.pass(1);
    const late = scene.scaler.setMode('shop', 'function');
    await scene.meanwhile(Promise.all([first, removing, assert.rejects(late, { code: 'not-found' })]));
    await scene.pass(20);
    assert.equal(scene.runtime.live.size, 0);
  });

  it('inspects one component: one instance, which nothing ends at a breakpoint', async () => {
    const shop = revision('shop', { mode: 'service', service: { minReplicas: 2, maxReplicas: 2 } });
    const scene = await Scene.of(shop);
    await scene.meanwhile(
      scene.scaler.deploy(revisions(shop), { inspect: { component: 'shop', port: 9_229 } }),
    );
    const one = scene.runtime.instances.at(-1)!;
    assert.deepEqual(
      [one.order.inspectPort, scene.status('shop').instances.at(-1)!.inspectUrl],
      [9_229, 'ws://127.0.0.1:9229'],
    );
    one.hung = true;
    const stopped = scene.send('shop');
    await scene.pass(600_000);
    assert.equal(one.state, 'ready');
    assert.equal(scene.status('shop').instances.length, 1);
    const next = revision('shop', { mode: 'service', id: 'bbbbbbbbbbbb' });
    await scene.meanwhile(scene.scaler.deploy(revisions(next)));
    assert.equal(scene.runtime.instances.at(-1)!.order.inspectPort, 0, 'the port is still taken');
    one.crash();
    await stopped;
    await scene.meanwhile(scene.scaler.deploy(revisions(next), { inspect: null }));
    assert.equal(scene.runtime.instances.at(-1)!.order.inspectPort, null);
  });
});

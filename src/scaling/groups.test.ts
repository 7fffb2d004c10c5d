import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_LIMITS } from '../model/app.ts';
import type { Revision } from '../model/revision.ts';
import { Scene, group, revision, revisions } from './testing/scene.ts';

const cart = revision('cart', { id: 'cccccccccccc', function: { timeoutMs: 1_000 } });
const stock = revision('stock', { id: 'ssssssssssss', function: { timeoutMs: 9_000 } });
const mail = revision('mail');

const deploy = async (scene: Scene, ...all: readonly Revision[]): Promise<void> =>
  scene.meanwhile(scene.scaler.deploy(revisions(...all)));

/** Members whose calls each living instance was told to make through the server. */
const throughServer = (scene: Scene): (readonly string[])[] =>
  [...scene.runtime.live].map((instance) => instance.throughServer);

describe('a group', () => {
  it('has one set of instances, which serve whichever member is asked for', async () => {
    const scene = await Scene.of(group('core', [cart, stock], { function: { concurrency: 2 } }), mail);
    assert.deepEqual(
      [[...scene.scaler.names()], [...scene.scaler.components()]],
      [
        ['core', 'mail'],
        ['cart', 'stock', 'mail'],
      ],
    );
    const all = Promise.all([scene.send('cart', 50), scene.send('stock', 50)]);
    assert.deepEqual(
      (await scene.meanwhile(all)).map(({ outcome }) => outcome),
      ['ok', 'ok'],
    );
    assert.equal(scene.runtime.instances.length, 1);
    assert.deepEqual(scene.runtime.breaches, []);
    assert.equal((await scene.meanwhile(scene.send('core'))).error!.code, 'not-found');
  });

  it('has invocations of a member billed as that member’s, with the memory of the whole process', async () => {
    const scene = await Scene.of(group('core', [cart, stock]));
    await scene.meanwhile(scene.send('stock'));
    const [{ component, revision: id, memoryBytes }] = scene.usage as [(typeof scene.usage)[0]];
    assert.deepEqual([component, id, memoryBytes], ['stock', 'ssssssssssss', 256]);
    // One that was never begun says the same.
    const aborted = new AbortController();
    aborted.abort();
    await scene.send('stock', 1, { signal: aborted.signal });
    assert.deepEqual(
      [scene.usage[1]!.outcome, scene.usage[1]!.revision, scene.usage[1]!.memoryBytes],
      ['cancelled', 'ssssssssssss', 256],
    );
  });

  it('has each member’s own timeout hold, but for a debugger’s sake', async () => {
    const scene = await Scene.of(group('core', [cart, stock]));
    assert.deepEqual([scene.scaler.timeoutMs('cart'), scene.scaler.timeoutMs('stock')], [1_000, 9_000]);
    assert.equal((await scene.meanwhile(scene.send('cart', 5_000))).outcome, 'timeout');
    assert.equal((await scene.meanwhile(scene.send('stock', 5_000))).outcome, 'ok');
    const inspect = { component: 'cart', port: 9229 };
    await scene.meanwhile(scene.scaler.deploy(revisions(group('core', [cart, stock])), { inspect }));
    assert.deepEqual(scene.runtime.orders.at(-1)!.inspectPort, 9229);
    assert.ok(scene.scaler.timeoutMs('stock') > 1_000_000);
  });

  it('has one mode, which is set by its own name alone', async () => {
    const scene = await Scene.of(group('core', [cart, stock]), mail);
    await assert.rejects(scene.scaler.setMode('cart', 'service'), {
      code: 'bad-request',
      message: /"cart" is in group "core", whose members share one mode\. .*fulcrum mode core MODE/,
    });
    assert.throws(() => scene.scaler.choice('cart'), { code: 'bad-request' });
    await assert.rejects(scene.scaler.setMode('cor', 'service'), { code: 'not-found', message: /"core"/ });
    await scene.meanwhile(scene.scaler.setMode('core', 'service'));
    assert.deepEqual([scene.scaler.mode('cart'), scene.scaler.mode('stock')], ['service', 'service']);
    assert.equal(scene.scaler.readyReplicas('stock'), 1);
    await scene.meanwhile(scene.send('cart'));
    assert.deepEqual([scene.usage[0]!.mode, scene.usage[0]!.memoryBytes], ['service', 512]);
  });

  it('has what is noted of a member in that member’s log', async () => {
    const scene = await Scene.of(group('core', [cart, stock]));
    scene.scaler.note('stock', 'limits set by hand');
    assert.equal(scene.log.at(-1)!.component, 'stock');
  });

  it('learns its habit from what all of its members are asked', async () => {
    const scene = new Scene();
    const times = (offsetMs: number): { arrivedAtMs: number; durationMs: number }[] =>
      Array.from({ length: 40 }, (_, i) => ({ arrivedAtMs: i * 1_200_000 + offsetMs, durationMs: 10 }));
    await scene.clock.advance(40 * 1_200_000);
    // Each alone is idle for twenty minutes at a time, both together for ten.
    scene.past.set('cart', times(0));
    scene.past.set('stock', times(600_000));
    await deploy(scene, group('core', [cart, stock], { function: { keepAlive: 'adaptive' } }));
    const alone = scene.habits.of(['cart']);
    await scene.pass(1);
    assert.ok(scene.habits.known(['cart', 'stock'])!.verdict!.keepMs < 1_200_000);
    assert.ok(alone.verdict!.keepMs >= 1_200_000);
    const before = scene.habits.known(['cart', 'stock'])!.idleSinceMs;
    await scene.meanwhile(scene.send('stock'));
    assert.ok(scene.habits.known(['cart', 'stock'])!.idleSinceMs! > before!);
  });
});

describe('limits of a group’s members', () => {
  it('are each member’s own, and so is what they have refused', async () => {
    const scene = await Scene.of(group('core', [cart, stock], { function: { concurrency: 10 } }));
    scene.limits.choose('cart', { ...NO_LIMITS, concurrency: 2 });
    const sent = Promise.all(
      ['cart', 'cart', 'cart', 'stock', 'stock', 'stock'].map((name) => scene.send(name, 50)),
    );
    assert.deepEqual(
      (await scene.meanwhile(sent)).map(({ outcome }) => outcome),
      ['ok', 'ok', 'refused', 'ok', 'ok', 'ok'],
    );
    assert.deepEqual(
      ['cart', 'stock'].map((name) => scene.limits.of(name).status().refused),
      [1, 0],
    );
    // What was let in is out again, and no more than that.
    const again = Promise.all(['cart', 'cart', 'cart'].map((name) => scene.send(name, 50)));
    assert.equal((await scene.meanwhile(again)).filter(({ outcome }) => outcome === 'ok').length, 2);
  });

  it('count what waits, too', async () => {
    const scene = await Scene.of(group('core', [cart, stock], { function: { maxInstances: 1 } }));
    scene.limits.choose('cart', { ...NO_LIMITS, concurrency: 1 });
    void scene.send('stock', 100);
    const waits = scene.send('cart', 10);
    await scene.pass(30);
    assert.equal((await scene.send('cart', 10)).error!.code, 'rate-limited');
    assert.equal((await scene.meanwhile(waits)).outcome, 'ok');
    assert.equal((await scene.meanwhile(scene.send('cart', 10))).outcome, 'ok');
  });

  it('switch one off and leave the others on', async () => {
    const scene = await Scene.of(group('core', [cart, stock]));
    scene.limits.choose('cart', { ...NO_LIMITS, concurrency: 0 });
    assert.equal((await scene.send('cart')).error!.code, 'switched-off');
    assert.equal((await scene.meanwhile(scene.send('stock'))).outcome, 'ok');
    scene.limits.choose('cart', null);
    assert.equal((await scene.meanwhile(scene.send('cart'))).outcome, 'ok');
  });

  it('have calls of that member come to the server: of instances that are there, and of those that come', async () => {
    const scene = await Scene.of(group('core', [cart, stock]), mail);
    void scene.send('cart', 5_000);
    void scene.send('mail', 5_000);
    await scene.pass(30);
    assert.deepEqual(throughServer(scene), [[], []]);
    scene.limits.choose('stock', { ...NO_LIMITS, rps: 5, burst: 5 });
    assert.deepEqual(throughServer(scene), [['stock'], []]);
    void scene.send('cart', 5_000);
    await scene.pass(30);
    assert.deepEqual(throughServer(scene), [['stock'], [], ['stock']]);
    // By the config as by hand.
    scene.limits.choose('stock', null);
    const limits = { ...NO_LIMITS, concurrency: 3 };
    scene.limits.configure(new Map([['cart', { ...cart.spec, limits }]]), null);
    assert.deepEqual(throughServer(scene), [['cart'], [], ['cart']]);
    // What bears on clients alone bears on no call.
    scene.limits.configure(
      new Map([['cart', { ...cart.spec, limits: { ...NO_LIMITS, perClient: { rps: 1, burst: 1 } } }]]),
      null,
    );
    assert.deepEqual(throughServer(scene), [[], [], []]);
  });

  it('let a call that comes back to its own group have another instance, and end it by its deadline where there is none', async () => {
    for (const [maxInstances, outcome] of [
      [2, 'ok'],
      [1, 'timeout'],
    ] as const) {
      const scene = await Scene.of(group('core', [cart, stock], { function: { maxInstances } }));
      scene.limits.choose('stock', { ...NO_LIMITS, concurrency: 5 });
      void scene.send('cart', 10_000);
      await scene.pass(30);
      const deadlineMs = scene.clock.monotonicMs() + 900;
      const called = scene.send('stock', 10, { trigger: 'call', deadlineMs });
      assert.equal((await scene.meanwhile(called)).outcome, outcome);
      assert.deepEqual(scene.runtime.breaches, []);
    }
  });
});

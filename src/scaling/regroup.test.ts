import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { InvocationEnd } from '../model/invocation.ts';
import type { ModuleRevision, Revision } from '../model/revision.ts';
import { Scene, group, revision, revisions, type RevisionOptions } from './testing/scene.ts';

const cart = revision('cart');
const stock = revision('stock');
const joined = group('core', [cart, stock]);

const regroup = (scene: Scene, ...all: readonly Revision[]): Promise<void> =>
  scene.scaler.deploy(revisions(...all));

/** The units that instances live of. */
const living = (scene: Scene): string[] =>
  [...scene.runtime.live].map(({ revision: { spec } }) => spec.name).toSorted();

describe('a regrouping in place', () => {
  it('has the new unit ready before anything goes to it, and then all its members change over at once', async () => {
    const scene = await Scene.of(cart, stock);
    const regrouping = regroup(scene, joined);
    await scene.pass(10);
    assert.deepEqual([...scene.scaler.names()], ['cart', 'stock']);
    await scene.meanwhile(scene.send('cart', 1));
    assert.deepEqual(scene.usage.length, 1);
    await scene.meanwhile(regrouping);
    assert.deepEqual([...scene.scaler.names()], ['core']);
    const orders = scene.runtime.orders.length;
    await scene.meanwhile(Promise.all([scene.send('cart', 1), scene.send('stock', 1)]));
    await scene.pass(50);
    assert.deepEqual(new Set(living(scene)), new Set(['core']));
    assert.ok(orders > 0);
    assert.deepEqual(scene.runtime.breaches, []);
  });

  for (const [name, before, after] of [
    ['joins', [cart, stock], [joined]],
    ['splits', [joined], [cart, stock]],
    ['takes one out', [joined], [group('core', [stock, revision('mail')]), cart]],
  ] as const) {
    it(`that ${name} loses nothing that waits or is under way`, async () => {
      const one = { maxInstances: 1 };
      const bounded = (all: readonly Revision[]): Revision[] =>
        all.map((it) =>
          it.kind === 'group'
            ? group(it.spec.name, it.members, { function: one })
            : revision(it.spec.name, { function: one }),
        );
      const scene = await Scene.of(...bounded(before));
      const sent = ['cart', 'stock', 'cart', 'stock'].map((component) => scene.send(component, 100));
      await scene.pass(30);
      await scene.meanwhile(regroup(scene, ...bounded(after)));
      const atOnce = await scene.meanwhile(Promise.all([scene.send('cart', 1), scene.send('stock', 1)]));
      assert.deepEqual(
        atOnce.map(({ outcome }) => outcome),
        ['ok', 'ok'],
      );
      const ends = await scene.meanwhile(Promise.all(sent));
      assert.deepEqual(
        ends.map(({ outcome }) => outcome),
        ['ok', 'ok', 'ok', 'ok'],
      );
      await scene.pass(5_000);
      assert.deepEqual(living(scene), []);
      assert.deepEqual(scene.runtime.breaches, []);
    });
  }

  it('has the revisions of what drains among those that run, until that has gone', async () => {
    const ids = { cart: 'cccccccccccc', stock: 'dddddddddddd' };
    const [old, other] = [revision('cart', { id: ids.cart }), revision('stock', { id: ids.stock })];
    const scene = await Scene.of(old, other);
    const long = scene.send('cart', 5_000);
    await scene.pass(30);
    await scene.meanwhile(regroup(scene, group('core', [cart, stock], { id: 'gggggggggggg' })));
    assert.deepEqual([...scene.scaler.running()].toSorted(), [ids.cart, 'gggggggggggg']);
    assert.equal((await scene.meanwhile(long)).outcome, 'ok');
    await scene.pass(5_000);
    assert.deepEqual([...scene.scaler.running()], ['gggggggggggg']);
  });

  it('whose new unit does not start changes nothing', async () => {
    const scene = await Scene.of(cart, stock);
    scene.runtime.onStart = ({ revision: { kind } }) =>
      kind === 'group' ? { takesMs: 5, fails: 'it throws' } : { takesMs: 5 };
    await assert.rejects(scene.meanwhile(regroup(scene, joined)), {
      code: 'start-failed',
      message: 'Group "core" could not be started: it throws',
    });
    assert.deepEqual([...scene.scaler.names()], ['cart', 'stock']);
    assert.equal((await scene.meanwhile(scene.send('stock'))).outcome, 'ok');
    scene.runtime.onStart = () => ({ takesMs: 5 });
    await scene.meanwhile(regroup(scene, joined));
    assert.equal((await scene.meanwhile(scene.send('stock'))).outcome, 'ok');
    assert.deepEqual(scene.runtime.breaches, []);
  });

  it('counts what its old units still work on, where a member may have only so much', async () => {
    const scene = await Scene.of(cart, stock);
    scene.limits.configure(
      new Map([['cart', { ...cart.spec, limits: { ...cart.spec.limits, concurrency: 1 } }]]),
      null,
    );
    const slow = scene.send('cart', 1_000);
    await scene.pass(30);
    await scene.meanwhile(regroup(scene, joined));
    assert.equal((await scene.send('cart')).error!.code, 'rate-limited');
    assert.equal((await scene.meanwhile(scene.send('stock'))).outcome, 'ok');
    await scene.meanwhile(slow);
    assert.equal((await scene.meanwhile(scene.send('cart'))).outcome, 'ok');
  });

  const service = (name: string, minReplicas: number): ModuleRevision =>
    revision(name, { mode: 'service', service: { minReplicas, maxReplicas: 8 } });

  it('of services begins with as many replicas as the largest of what it replaces has', async () => {
    const scene = await Scene.of(service('cart', 3), service('stock', 2));
    const both = group('core', [service('cart', 3), service('stock', 2)], {
      service: { minReplicas: 1, maxReplicas: 8 },
    });
    await scene.meanwhile(regroup(scene, both));
    assert.equal(scene.scaler.readyReplicas('core'), 3);
    await scene.meanwhile(regroup(scene, service('cart', 1), service('stock', 1)));
    assert.deepEqual(
      ['cart', 'stock'].map((name) => scene.scaler.readyReplicas(name)),
      [3, 3],
    );
  });

  it('begins with as many as its members, or the same group, have elsewhere', async () => {
    const both = group('core', [service('cart', 1), service('stock', 1)]);
    for (const [there, wanted, begun] of [
      [[service('cart', 3), service('stock', 2)], both, 3],
      [[group('core', [service('cart', 4), service('stock', 4)])], both, 4],
      [[group('core', [service('cart', 4), service('stock', 4)])], service('cart', 1), 4],
    ] as const) {
      const scene = await Scene.of(...there);
      const next = scene.newScaler();
      const replicas = (name: string): number => scene.scaler.readyReplicas(name);
      await scene.meanwhile(next.deploy(revisions(wanted), { replicas }));
      assert.equal(next.readyReplicas('cart'), begun);
    }
  });

  it('keeps the mode that was chosen for a group as long as there is one of that name, and gives it none of its members’', async () => {
    const scene = await Scene.of(cart, stock);
    await scene.meanwhile(scene.scaler.setMode('cart', 'service'));
    await scene.meanwhile(regroup(scene, joined));
    assert.equal(scene.scaler.mode('core'), 'function');
    await scene.meanwhile(scene.scaler.setMode('core', 'service'));
    await scene.meanwhile(regroup(scene, group('core', [cart, stock, revision('mail')])));
    assert.deepEqual(scene.scaler.choice('core'), {
      configured: 'function',
      chosen: 'service',
      mode: 'service',
    });
    await scene.meanwhile(regroup(scene, cart, stock));
    assert.equal(scene.scaler.mode('cart'), 'function');
  });

  it('takes a component and a group of one name for two things', async () => {
    const scene = await Scene.of(revision('core'), stock);
    await scene.meanwhile(scene.scaler.setMode('core', 'service'));
    const slow = scene.send('core', 200);
    await scene.meanwhile(regroup(scene, group('core', [cart, stock])));
    assert.equal(scene.scaler.mode('core'), 'function');
    assert.equal((await scene.meanwhile(slow)).outcome, 'ok');
    assert.deepEqual(scene.runtime.breaches, []);
  });
});

const NAMES = ['a', 'b', 'c', 'd'] as const;

interface Step {
  readonly gapMs: number;
  /** For each component: which group it is in; 0 and those that would be alone in one: none. */
  readonly groups: readonly number[] | null;
  readonly sends: readonly { readonly component: number; readonly takesMs: number }[];
  /** A start that fails from now on, or all go well. */
  readonly fails: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  gapMs: fc.integer({ min: 0, max: 40 }),
  groups: fc.option(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 4, maxLength: 4 }), { freq: 2 }),
  sends: fc.array(fc.record({ component: fc.nat(3), takesMs: fc.integer({ min: 0, max: 60 }) }), {
    maxLength: 6,
  }),
  fails: fc.constantFrom(false, false, false, true),
});

function arrangement(groups: readonly number[], id: string, o: RevisionOptions): Revision[] {
  const all = NAMES.map((name) => revision(name, { ...o, id }));
  const of = (n: number): ModuleRevision[] => all.filter((_, i) => groups[i] === n);
  const made = [1, 2].filter((n) => of(n).length > 1);
  return [
    ...made.map((n) => group(`g${n}`, of(n), { id: `${id.slice(0, -1)}${n}` })),
    ...all.filter((_, i) => !made.includes(groups[i]!)),
  ];
}

describe('under any regroupings and requests', () => {
  for (const mode of ['function', 'service'] as const) {
    it(`a ${mode} loses no invocation, does none where its component is not, and leaves nothing behind`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
          const o: RevisionOptions = { mode, function: { maxInstances: 2 }, service: { concurrency: 2 } };
          const scene = await Scene.of(...arrangement([0, 0, 0, 0], '0'.repeat(12), o));
          const ends: Promise<InvocationEnd>[] = [];
          const deploys: Promise<unknown>[] = [];
          for (const [i, { gapMs, groups, sends, fails }] of steps.entries()) {
            await scene.pass(gapMs);
            if (groups !== null) {
              const id = String(i % 3).repeat(12);
              // Of a deploy that fails nothing is seen; what serves goes on starting as ever.
              scene.runtime.onStart = ({ revision: it }) =>
                fails && it.id.startsWith(id.slice(0, 11)) && it.kind === 'group'
                  ? { takesMs: 10, fails: 'it throws' }
                  : { takesMs: 20 };
              deploys.push(
                scene.scaler.deploy(revisions(...arrangement(groups, id, o))).then(
                  () => null,
                  (error: unknown) => error,
                ),
              );
              if (fails) await scene.meanwhile(Promise.all(deploys));
              scene.runtime.onStart = () => ({ takesMs: 20 });
            }
            for (const { component, takesMs } of sends) ends.push(scene.send(NAMES[component]!, takesMs));
          }
          await scene.meanwhile(Promise.all(deploys));
          for (const end of await scene.meanwhile(Promise.all(ends)))
            assert.equal(end.outcome, 'ok', String(end.error));
          assert.equal(scene.usage.length, ends.length);
          assert.deepEqual([...scene.scaler.components()].toSorted(), [...NAMES]);
          assert.deepEqual(scene.runtime.breaches, []);
          for (const name of NAMES)
            assert.equal((await scene.meanwhile(scene.send(name, 1))).outcome, 'ok', `${name} is there`);
          await scene.meanwhile(scene.scaler.close(10_000));
          assert.equal(scene.runtime.live.size + scene.runtime.starting + scene.dispatcher.running, 0);
          assert.equal(
            NAMES.every((name) => scene.limits.of(name).unused),
            true,
          );
        }),
        { numRuns: process.env['FULCRUM_FULL'] === '1' ? 1_000 : 60 },
      );
    });
  }
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import type { InstanceEnded } from '../model/instance.ts';
import type { Revision } from '../model/revision.ts';
import type { InstanceStretch } from '../model/usage.ts';
import { InstanceLife } from './instance-life.ts';
import { InstanceWatch, type Living } from './instance-watch.ts';
import { group, revision, revisions, Scene } from './testing/scene.ts';

const END: InstanceEnded = { reason: 'exit code 0', exitCode: 0, signal: null, expected: true };

/** A scene whose instances' lives are told. */
async function told(
  ...all: readonly Revision[]
): Promise<{ scene: Scene; scaler: Scene['scaler']; stretches: InstanceStretch[] }> {
  const scene = new Scene();
  const stretches: InstanceStretch[] = [];
  const lives = {
    watch: new InstanceWatch(scene.clock, 4),
    sink: { record: (stretch: InstanceStretch) => void stretches.push(stretch) },
  };
  const scaler = scene.newScaler('shop', lives);
  await scene.meanwhile(scaler.deploy(revisions(...all)));
  return { scene, scaler, stretches };
}

const livedMs = (stretches: readonly InstanceStretch[]): number =>
  stretches.reduce((sum, { lastsMs }) => sum + lastsMs, 0);

describe('InstanceWatch', () => {
  it('tells a function’s instance from the decision to start it until its process is gone', async () => {
    const { scene, scaler, stretches } = await told(revision('shop', { function: { keepAliveMs: 1_000 } }));
    const beganMs = scene.clock.nowMs();
    await scene.meanwhile(scene.send('shop', 50, {}, scene.dispatcherOf(scaler)));
    await scene.pass(5_000);
    assert.deepEqual(stretches, [
      {
        unit: 'shop',
        revision: 'aaaaaaaaaaaa',
        mode: 'function',
        fromMs: beganMs,
        // Start, work, keep-alive and stop.
        lastsMs: 20 + 50 + 1_000 + 3,
        begins: true,
        memoryBytes: 128,
        usedBytes: null,
        // Of its invocation: it did not live long enough for anybody to look.
        cpuMs: 1,
      },
    ]);
    await scene.meanwhile(scaler.close(0));
  });

  it('tells a service’s replicas every ten seconds, and what of their memory was seen', async () => {
    const { scene, scaler, stretches } = await told(
      revision('shop', { mode: 'service', service: { minReplicas: 2, maxReplicas: 2 } }),
    );
    for (const one of scene.runtime.instances) one.cpuMsPerMs = 0.5;
    await scene.pass(30_000);
    assert.deepEqual(
      stretches.map(({ begins, usedBytes, memoryBytes }) => [begins, usedBytes, memoryBytes]),
      [
        [true, null, 256],
        [true, null, 256],
        [false, 5_000_000, 256],
        [false, 5_000_000, 256],
        [false, 5_000_000, 256],
        [false, 5_000_000, 256],
      ],
    );
    // By the look after the second round.
    const cpuMs = stretches.reduce((sum, one) => sum + one.cpuMs, 0);
    assert.ok(Math.abs(cpuMs / 2 - 10_000) < 100, String(cpuMs));
    const endsMs = scene.clock.monotonicMs();
    await scene.meanwhile(scaler.close(0));
    assert.equal(livedMs(stretches), 2 * scene.clock.monotonicMs(), `closed at ${endsMs}`);
    assert.equal(scene.clock.pending, 0);
  });

  it('tells of a start that failed, and of a crash, as much as there was', async () => {
    const { scene, scaler, stretches } = await told(revision('shop'));
    const dispatcher = scene.dispatcherOf(scaler);
    scene.runtime.onStart = (_, nth) => (nth === 1 ? { takesMs: 30, fails: 'no' } : { takesMs: 20 });
    await scene.meanwhile(scene.send('shop', 5, {}, dispatcher));
    assert.deepEqual(
      stretches.map(({ lastsMs, begins }) => [lastsMs, begins]),
      [[30, true]],
    );
    await scene.pass(10_000);
    stretches.length = 0;
    const beganMs = scene.clock.monotonicMs();
    const sent = scene.send('shop', 500, {}, dispatcher);
    await scene.pass(100);
    scene.runtime.instances.at(-1)!.crash();
    await scene.meanwhile(sent);
    assert.equal(livedMs(stretches), 100, `began at ${beganMs}`);
  });

  it('tells of a group as one, and of both modes while they change over', async () => {
    const members = [revision('cart'), revision('price')];
    const { scene, scaler, stretches } = await told(group('shop', members, { id: 'gggggggggggg' }));
    const dispatcher = scene.dispatcherOf(scaler);
    await scene.meanwhile(scene.send('price', 5, {}, dispatcher));
    await scene.meanwhile(scaler.setMode('shop', 'service'));
    await scene.pass(20_000);
    await scene.meanwhile(scaler.close(0));
    assert.deepEqual(
      [...new Set(stretches.map(({ unit, revision: id, mode }) => `${unit} ${id} ${mode}`))],
      ['shop gggggggggggg function', 'shop gggggggggggg service'],
    );
    assert.equal(stretches.filter(({ begins }) => begins).length, 2);
    const held = scene.runtime.instances.map(({ order }) => order.memoryBytes);
    assert.deepEqual([...new Set(stretches.map(({ memoryBytes }) => memoryBytes))], held);
  });

  it('looks at fifty in a round however many there are, and at each in its turn', async () => {
    const clock = new FakeClock();
    const watch = new InstanceWatch(clock, 1);
    const looks = new Map<Living, number>();
    let most = 0;
    const all = Array.from({ length: 120 }, (_, i): Living => {
      const one: Living = {
        registryPlace: -1,
        revision: { id: 'r', spec: { name: `c${i}` } },
        mode: 'function',
        memoryBytes: 1,
        life: new InstanceLife(0),
        sink: { record: () => undefined },
        instance: {
          measure: () => {
            looks.set(one, (looks.get(one) ?? 0) + 1);
            return Promise.resolve({ memoryBytes: 1, cpuMs: 1 });
          },
        },
      };
      return one;
    });
    for (const one of all) watch.entered(one);
    for (let round = 0; round < 5; round++) {
      const before = [...looks.values()].reduce((sum, count) => sum + count, 0);
      await clock.advance(10_000);
      const now = [...looks.values()].reduce((sum, count) => sum + count, 0);
      most = Math.max(most, now - before);
    }
    assert.equal(most, 50);
    assert.deepEqual([looks.size, Math.max(...looks.values())], [120, 3]);
    for (const one of all) watch.left(one, END);
    assert.equal(clock.pending, 0);
    watch.left(all[0]!, END);
  });

  it('goes on where looking fails', async () => {
    const clock = new FakeClock();
    const watch = new InstanceWatch(clock, 1);
    const stretches: InstanceStretch[] = [];
    const one: Living = {
      registryPlace: -1,
      revision: { id: 'r', spec: { name: 'c' } },
      mode: 'service',
      memoryBytes: 1,
      life: new InstanceLife(0),
      sink: { record: (stretch) => void stretches.push(stretch) },
      instance: { measure: () => Promise.reject(new Error('EMFILE')) },
    };
    watch.entered(one);
    await clock.advance(30_000);
    watch.left(one, { ...END, cpuMs: 9 });
    assert.equal(livedMs(stretches), 30_000);
    assert.equal(stretches.at(-1)!.cpuMs, 9);
    watch.close();
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { InvocationEnd } from '../model/invocation.ts';
import { Scene, revision, revisions } from './testing/scene.ts';

const FULL = process.env['FULCRUM_FULL'] === '1';

type Options = Parameters<typeof revision>[1];

const shop = (o: Options & { service?: object } = {}): ReturnType<typeof revision> =>
  revision('shop', {
    mode: 'service',
    ...o,
    service: { concurrency: 10, minReplicas: 1, maxReplicas: 6, ...o.service },
  });

const readyOf = (scene: Scene): number =>
  scene.status('shop').instances.filter(({ state }) => state === 'ready').length;

/** So many invocations, all the time, until it is told to stop. */
class Load {
  readonly #scene: Scene;
  readonly #takesMs: number;
  readonly ends: Promise<InvocationEnd>[] = [];
  #level = 0;
  #running = 0;

  constructor(scene: Scene, takesMs = 100) {
    this.#scene = scene;
    this.#takesMs = takesMs;
  }

  set(level: number): void {
    this.#level = level;
    for (; this.#running < level; this.#running++) void this.#keep();
  }

  /** One of them, over and over, until there are more than are wanted. */
  async #keep(): Promise<void> {
    do {
      const end = this.#scene.send('shop', this.#takesMs);
      this.ends.push(end);
      await end;
    } while (this.#running <= this.#level);
    this.#running--;
  }
}

async function allWell(load: Load): Promise<void> {
  for (const { outcome } of await Promise.all(load.ends)) assert.equal(outcome, 'ok');
}

describe('an autoscaled service', () => {
  it('begins with its minimum, grows in panic within seconds, and shrinks to it again after the last minute', async () => {
    const scene = await Scene.of(shop());
    assert.deepEqual(
      scene.status('shop').instances.map(({ reason }) => reason),
      ['deploy: replica 1 of 1'],
    );
    const load = new Load(scene, 250);
    load.set(20);
    await scene.pass(2_100);
    // 20 are at work or wait: ceil(20 / 7).
    assert.equal(readyOf(scene), 3);
    const [, second] = scene.status('shop').instances;
    assert.match(second!.reason, /^load 20 of 7: 3 replicas wanted \(panic\)$/);
    await scene.pass(58_000);
    assert.equal(readyOf(scene), 3);
    load.set(0);
    await scene.pass(1_000);
    await allWell(load);
    await scene.pass(29_000);
    assert.equal(readyOf(scene), 2, 'what the last minute wants; the panic is over');
    await scene.pass(60_000);
    assert.equal(readyOf(scene), 1);
    assert.deepEqual(scene.runtime.breaches, []);
    assert.ok(scene.story.some((text) => /ended: load .* of .*: \d replicas? wanted/.test(text)));
  });

  it('counts what is in flight from its first moment, though nothing waits and nothing ends', async () => {
    const scene = await Scene.of(shop());
    const long = Array.from({ length: 9 }, () => scene.send('shop', 10_000));
    await scene.pass(2_100);
    assert.equal(readyOf(scene), 2);
    await scene.meanwhile(Promise.all(long));
  });

  it('looks at the CPU its replicas use', async () => {
    const scene = await Scene.of(shop());
    const [first] = scene.runtime.instances;
    first!.cpuMsPerMs = 0.9;
    await scene.pass(5_900);
    assert.equal(readyOf(scene), 1, 'what it used to start is no load');
    await scene.pass(200);
    assert.equal(readyOf(scene), 2);
    assert.match(scene.status('shop').instances.at(-1)!.reason, /^cpu 0\.9 of 0\.7 cores: 2 replicas wanted/);
  });

  it('has no more for the CPU than the machine has processors', async () => {
    const scene = await Scene.within({ memoryBytes: 1e9, cpus: 2 }, shop());
    for (let s = 0; s < 20; s++) {
      for (const one of scene.runtime.live) one.cpuMsPerMs = 1;
      await scene.pass(1_000);
    }
    assert.equal(readyOf(scene), 2);
  });

  it('replaces a lost replica, in its place, whatever the load', async () => {
    const scene = await Scene.of(shop({ service: { minReplicas: 3 } }));
    const [, second] = scene.runtime.instances;
    second!.crash();
    await scene.pass(500);
    assert.equal(readyOf(scene), 3);
    assert.equal(scene.status('shop').instances.at(-1)!.reason, `replaces ${second!.id} (exit code 1)`);
  });

  it('keeps what it has through a deploy, and what it knows of its load', async () => {
    const scene = await Scene.of(shop());
    const load = new Load(scene);
    load.set(28);
    await scene.pass(2_100);
    assert.equal(readyOf(scene), 4);
    await scene.meanwhile(scene.scaler.deploy(revisions(shop({ id: 'bbbbbbbbbbbb' }))));
    const serving = (): number =>
      scene.status('shop').instances.filter((one) => one.revision === 'bbbbbbbbbbbb').length;
    assert.equal(serving(), 4);
    await scene.pass(20_000);
    assert.equal(serving(), 4, 'still in panic');
    load.set(0);
    await scene.pass(1_000);
    await allWell(load);
  });

  it('still knows after a deploy what the last minute was', async () => {
    const scene = await Scene.of(shop());
    const load = new Load(scene, 500);
    load.set(28);
    await scene.pass(75_000);
    load.set(0);
    await scene.pass(1_000);
    await scene.meanwhile(scene.scaler.deploy(revisions(shop({ id: 'bbbbbbbbbbbb' }))));
    await scene.pass(8_000);
    assert.equal(readyOf(scene), 4);
    await allWell(load);
  });

  it('goes on panicking through a deploy', async () => {
    const scene = await Scene.of(shop());
    const load = new Load(scene);
    load.set(28);
    await scene.pass(8_000);
    load.set(7);
    await scene.meanwhile(scene.scaler.deploy(revisions(shop({ id: 'bbbbbbbbbbbb' }))));
    await scene.pass(40_000);
    assert.equal(readyOf(scene), 4, 'the last minute would want two');
    load.set(0);
    await scene.pass(30_000);
    assert.equal(readyOf(scene), 1);
    await allWell(load);
  });

  it('begins a release of its own with what the one before has, within its own bounds', async () => {
    for (const [elsewhere, expected] of [
      [0, 1],
      [4, 4],
      [9, 6],
    ] as const) {
      const scene = new Scene();
      await scene.meanwhile(scene.scaler.deploy(revisions(shop()), { replicas: () => elsewhere }));
      assert.equal(scene.scaler.readyReplicas('shop'), expected);
    }
  });

  it('keeps within the new bounds of a deploy', async () => {
    const scene = await Scene.of(shop({ service: { minReplicas: 4, maxReplicas: 4 } }));
    await scene.meanwhile(scene.scaler.deploy(revisions(shop({ service: { maxReplicas: 2 }, id: 'b' }))));
    await scene.pass(100);
    assert.equal(readyOf(scene), 2);
  });

  it('has at once the replicas that the work of a function wants, when it becomes a service', async () => {
    const scene = await Scene.of(shop({ mode: 'function', function: { concurrency: 10, maxInstances: 9 } }));
    const load = new Load(scene);
    load.set(28);
    await scene.pass(200);
    await scene.meanwhile(scene.scaler.setMode('shop', 'service'));
    assert.equal(scene.status('shop').instances.filter(({ mode }) => mode === 'service').length, 4);
    load.set(0);
    await scene.pass(1_000);
    await allWell(load);
  });

  it('costs nothing where the number is fixed', async () => {
    const scene = await Scene.of(shop({ service: { minReplicas: 2, maxReplicas: 2 } }));
    const before = scene.clock.pending;
    await scene.pass(10_000);
    assert.equal(scene.clock.pending, before, 'the health checks, and no round');
    assert.equal(before, 1);
  });

  it('settles after any arrivals at what is left of the load, and loses nothing', async () => {
    const phase = fc.record({
      level: fc.nat({ max: 50 }),
      forMs: fc.integer({ min: 1, max: FULL ? 20_000 : 8_000 }),
    });
    const crashes = fc.array(fc.nat({ max: 4 }), { maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(fc.array(phase, { minLength: 1, maxLength: 5 }), crashes, async (phases, crashAt) => {
        const scene = await Scene.of(shop());
        // Each of them is a timer: fewer, longer ones say the same in a tenth of the time.
        const load = new Load(scene, FULL ? 1_000 : 4_000);
        for (const [i, { level, forMs }] of phases.entries()) {
          load.set(level);
          if (crashAt.includes(i)) [...scene.runtime.live][0]?.crash();
          await scene.pass(forMs);
          assert.ok(scene.runtime.live.size + scene.runtime.starting <= 6, 'max');
        }
        await scene.pass(130_000);
        assert.equal(readyOf(scene), Math.min(6, Math.max(1, Math.ceil(phases.at(-1)!.level / 7))));
        load.set(0);
        await scene.pass(75_000);
        assert.equal(readyOf(scene), 1);
        const failed = (await Promise.all(load.ends)).filter(({ outcome }) => outcome !== 'ok');
        assert.ok(
          failed.every(({ outcome }) => outcome === 'crashed'),
          'only what was on a replica that died',
        );
        if (crashAt.length === 0) assert.equal(failed.length, 0);
        assert.deepEqual(scene.runtime.breaches, []);
      }),
      { numRuns: FULL ? 40 : 4 },
    );
  });
});

/** What several apps and releases do to each other on one machine that is full, or pressed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FulcrumError } from '../base/errors.ts';
import type { FunctionSettings, ServiceSettings } from '../model/app.ts';
import { type Scene as SceneType, Scene, revision, revisions } from './testing/scene.ts';

const fn = (name: string, o: Partial<FunctionSettings> = {}) =>
  revision(name, { function: { memoryBytes: 1, ...o } });
const service = (name: string, o: Partial<ServiceSettings> = {}, id = 'aaaaaaaaaaaa') =>
  revision(name, { id, mode: 'service', service: { memoryBytes: 1, ...o } });
/** Above what the fake runtime's instances hold: one that proves itself is measured. */
const LARGE = 10_000_000;
const pressed = { availableBytes: 1, totalBytes: 100 };
const well = { availableBytes: 100, totalBytes: 100 };

function send(scene: SceneType, name: string, count: number, takesMs: number) {
  return Array.from({ length: count }, () => scene.send(name, takesMs));
}

/** What became of a change: null while it is under way. */
function outcome(change: Promise<unknown>): { is: 'done' | FulcrumError | null } {
  const seen: { is: 'done' | FulcrumError | null } = { is: null };
  change.then(
    () => (seen.is = 'done'),
    (error: unknown) => (seen.is = error as FulcrumError),
  );
  return seen;
}

const replicas = (scene: SceneType, name: string) => scene.status(name).instances.length;

describe('a deploy that waits for room on a full machine', () => {
  it('fails at once where services that begin to serve leave it none, and the others go on', async () => {
    const scene = await Scene.within({ memoryBytes: 10 }, fn('busy'));
    const busy = send(scene, 'busy', 10, 20_000);
    await scene.pass(200);
    let looks = 0;
    // Each look at the room is one share-out: an endless loop of microtasks ends with this, and not with the test.
    scene.onCpuLook = () => assert.ok(++looks < 1_000, 'it asks for the same room again and again');
    const big = outcome(scene.newScaler().deploy(revisions(fn('big', { memoryBytes: 5 })), { prove: true }));
    await scene.pass(100);
    const next = outcome(scene.newScaler().deploy(revisions(service('s', { memoryBytes: 6 }))));
    await scene.pass(25_000);
    assert.equal((big.is as FulcrumError).code, 'machine-full');
    assert.match((big.is as FulcrumError).message, /"big" may hold 5 bytes|"big" may hold 5 B/);
    assert.equal(next.is, 'done');
    assert.ok((await scene.meanwhile(Promise.all(busy))).every((end) => end.outcome === 'ok'));
    assert.equal(scene.budget!.status.waiting, 0);
    assert.deepEqual(scene.faults, []);
  });

  it('takes what others were granted a moment ago, and they wait on', async () => {
    for (let turns = 0; turns < 20; turns++) {
      const scene = await Scene.within({ memoryBytes: 4 }, fn('a'), fn('b'));
      const all = send(scene, 'b', 2, 5_000);
      await scene.pass(30);
      all.push(...send(scene, 'a', 12, 500));
      await scene.pass(30);
      const deploy = scene.newScaler().deploy(revisions(service('s')));
      for (let i = 0; i < turns; i++) await Promise.resolve();
      scene.runtime.instances[0]!.crash();
      await scene.meanwhile(deploy);
      const ends = await scene.meanwhile(Promise.all(all));
      assert.equal(ends.filter(({ outcome: end }) => end !== 'ok').length, 1, 'the one that crashed');
      assert.ok(scene.runtime.mostBytes <= 4);
      assert.ok(!scene.story.some((text) => text.startsWith('could not be scaled')), scene.story.join('\n'));
      assert.deepEqual(scene.faults, []);
    }
  });

  it('ends although some of its replicas made room for others while the last ones started', async () => {
    const range = { minReplicas: 1, maxReplicas: 5, concurrency: 10 };
    const scene = await Scene.within({ memoryBytes: 12 }, service('s', range), fn('f'));
    const load = send(scene, 's', 50, 20_000);
    await scene.pass(8_000);
    assert.equal(replicas(scene, 's'), 5);
    let nth = 0;
    scene.runtime.onStart = ({ mode }) => ({ takesMs: mode === 'service' ? 1_000 + 400 * nth++ : 20 });
    const deploy = outcome(scene.scaler.deploy(revisions(service('s', range, 'bbbbbbbbbbbb'), fn('f'))));
    await scene.pass(1_050);
    const flood = send(scene, 'f', 8, 2_000);
    await scene.pass(10_000);
    assert.ok(scene.story.some((text) => text.endsWith('makes room for "f" (machine budget)')));
    assert.equal(deploy.is, 'done');
    await scene.meanwhile(Promise.all([...load, ...flood]));
  });
});

describe('a machine that is short of memory', () => {
  it('has each function of a deploy prove itself, one after the other', async () => {
    const scene = new Scene({ memoryBytes: 100 * LARGE });
    scene.memory = pressed;
    scene.runtime.onStart = (_order, nth) => ({ takesMs: 20 + 3_000 * (nth % 3) });
    const all = ['a', 'b', 'c'].map((name) => fn(name, { memoryBytes: LARGE }));
    await scene.meanwhile(scene.scaler.deploy(revisions(...all), { prove: true }));
    assert.ok(scene.story.some((text) => text.endsWith('ended: the machine is short of memory')));
  });

  it('lets services grow again when it is over, also where no function runs', async () => {
    const range = { minReplicas: 1, maxReplicas: 6, concurrency: 10 };
    const scene = await Scene.within({ memoryBytes: 12 }, service('s', range), fn('f'));
    await scene.meanwhile(scene.send('f', 500));
    scene.memory = pressed;
    await scene.pass(3_000);
    assert.deepEqual([replicas(scene, 'f'), scene.budget!.status.pressed], [0, true]);
    scene.memory = well;
    await scene.pass(3_000);
    assert.equal(scene.budget!.status.pressed, false);
    const load = send(scene, 's', 60, 30_000);
    await scene.pass(10_000);
    assert.equal(replicas(scene, 's'), 6);
    await scene.meanwhile(Promise.all(load));
  });
});

describe('a fault of ours', () => {
  it('while a component is looked at is told, and it is looked at again', async () => {
    const scene = await Scene.within({ memoryBytes: 4 }, fn('a'));
    scene.onLog = (text) => {
      if (!text.includes(' starts: ')) return;
      scene.onLog = () => undefined;
      throw new Error('no space left on device');
    };
    const waits = scene.send('a');
    await scene.pass(100);
    assert.match(scene.story.at(-1)!, /^could not be scaled: no space left/);
    assert.equal((await scene.meanwhile(waits, 70_000)).outcome, 'ok');
  });

  it('while room is shared out keeps it from nobody', async () => {
    const scene = await Scene.within({ memoryBytes: 2 }, fn('a'), fn('b'));
    const all = send(scene, 'a', 2, 100);
    await scene.pass(30);
    scene.onCpuLook = () => {
      scene.onCpuLook = () => undefined;
      throw new Error('EMFILE');
    };
    all.push(...send(scene, 'a', 3, 100), ...send(scene, 'b', 3, 100));
    const ends = await scene.meanwhile(Promise.all(all), 20_000);
    assert.ok(ends.every(({ outcome: end }) => end === 'ok'));
    assert.ok(scene.faults.length + scene.story.filter((text) => text.includes('EMFILE')).length > 0);
  });
});

describe('two that a machine cannot hold together', () => {
  it('take turns, also where the work of one does not end', async () => {
    const big = { memoryBytes: 2, fresh: true };
    const scene = await Scene.within(
      { memoryBytes: 2 },
      revision('flood', { function: big }),
      revision('other', { function: big }),
    );
    const flood = Array.from({ length: 20 }, () => scene.send('flood', 10));
    await scene.pass(5);
    const { outcome } = await scene.meanwhile(scene.send('other', 10));
    assert.equal(outcome, 'ok');
    const before = scene.usage.filter(({ component }) => component === 'flood').length;
    assert.ok(before <= 2, `after ${before} of the flood`);
    await scene.meanwhile(Promise.all(flood));
  });
});

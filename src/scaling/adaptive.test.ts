import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { decide } from './decide.ts';
import type { FunctionSnapshot, HabitView, InstanceView } from './snapshot.ts';
import type { PastArrival } from './habit.ts';
import type { Scaler } from './scaler.ts';
import { revision, revisions, Scene } from './testing/scene.ts';

const MIN = 60_000;
const ADAPTIVE = { keepAlive: 'adaptive' } as const;

/** `count` uses of a second each, `everyMin` apart, the last of which was over `agoMin` ago. */
function past(scene: Scene, everyMin: number, agoMin: number, count = 30): PastArrival[] {
  const endMs = scene.clock.nowMs() - agoMin * MIN;
  return Array.from({ length: count }, (_, i) => ({
    arrivedAtMs: endMs - 1_000 - (count - 1 - i) * everyMin * MIN,
    durationMs: 1_000,
  }));
}

/** A scene whose component has been used so until its server ended. */
async function used(everyMin: number, agoMin: number, function_: object = {}): Promise<Scene> {
  const scene = new Scene();
  scene.past.set('shop', past(scene, everyMin, agoMin));
  const shop = revision('shop', { function: { ...ADAPTIVE, ...function_ } });
  await scene.meanwhile(scene.scaler.deploy(revisions(shop)));
  await scene.pass(0);
  return scene;
}

/** In turns of their own: what a job has seen of a WeakRef stays until it ends. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
}

const living = (scene: Scene): number => scene.runtime.live.size;
const reasons = (scene: Scene): string[] => scene.status('shop').instances.map(({ reason }) => reason);

describe('a function with an adaptive keep-alive', () => {
  it('has its fixed one as long as its habits tell nothing, zygote and all', async () => {
    const scene = await Scene.of(revision('shop', { function: ADAPTIVE }));
    for (let i = 0; i < 5; i++) {
      await scene.meanwhile(scene.send('shop'));
      await scene.pass(1_000 + scene.runtime.stopMs);
      assert.equal(living(scene), 0);
      await scene.pass(30 * MIN);
    }
    assert.equal(scene.runtime.orders.length, 5, 'nothing is pre-warmed');
    assert.ok(scene.runtime.instances.every(({ stopReason }) => stopReason === 'keep-alive passed'));
    assert.equal(scene.runtime.zygoteKeepMs.get('aaaaaaaaaaaa'), null);
  });

  it('learns while it works: ends at once, is there again before the next use, and ends when none comes', async () => {
    const scene = await Scene.of(revision('shop', { function: ADAPTIVE }));
    for (let i = 0; i < 11; i++) {
      await scene.meanwhile(scene.send('shop'));
      await scene.pass(30.5 * MIN);
    }
    assert.equal(living(scene), 1, 'after eleven idle times of 30 minutes');
    assert.deepEqual(reasons(scene), ['pre-warmed: next use expected 27 to 34.1 min after the last']);
    const before = scene.runtime.orders.length;
    await scene.meanwhile(scene.send('shop'));
    assert.equal(scene.runtime.orders.length, before);
    assert.deepEqual([scene.usage.at(-1)!.cold, scene.usage.at(-1)!.waitedMs], [false, 0]);

    await scene.pass(scene.runtime.stopMs);
    assert.equal(living(scene), 0, 'not one second longer than its work');
    assert.equal(scene.runtime.instances.at(-1)!.stopReason, 'no use expected for 27 min');
    assert.equal(scene.runtime.zygoteKeepMs.get('aaaaaaaaaaaa'), 0);

    await scene.pass(27 * MIN - scene.runtime.stopMs - 1);
    assert.equal(scene.runtime.orders.length, before);
    await scene.pass(1 + 20);
    assert.equal(living(scene), 1);
    await scene.pass(7.1 * MIN - 21);
    assert.equal(living(scene), 1);
    await scene.pass(1 + scene.runtime.stopMs);
    assert.equal(living(scene), 0);
    assert.equal(scene.runtime.instances.at(-1)!.stopReason, 'adaptive keep-alive of 34.1 min passed');
    await scene.pass(600 * MIN);
    assert.equal(scene.runtime.orders.length, before + 1, 'one for a time of idleness');
    assert.equal(scene.clock.pending, 0, 'nothing ticks while nothing is there');
  });

  it('stays where it is used within the first minute, and only one does', async () => {
    const scene = await used(0.5, 300);
    await scene.meanwhile(
      Promise.all([scene.send('shop', 50), scene.send('shop', 50), scene.send('shop', 50)]),
    );
    await scene.pass(1_000 + scene.runtime.stopMs);
    assert.equal(living(scene), 1, 'the others have the fixed one');
    await scene.pass(1.1 * MIN - 1_000 - scene.runtime.stopMs - 1);
    assert.equal(living(scene), 1);
    await scene.pass(1 + scene.runtime.stopMs);
    assert.equal(living(scene), 0);
    assert.equal(scene.runtime.orders.length, 3);
    assert.deepEqual(
      scene.runtime.instances.map(({ stopReason }) => stopReason),
      ['keep-alive passed', 'keep-alive passed', 'adaptive keep-alive of 1.1 min passed'],
    );
  });

  it('knows after a restart what it was used to, and when its next use is near', async () => {
    const scene = await used(30, 20);
    await scene.pass(6.1 * MIN - 1);
    assert.equal(scene.runtime.orders.length, 0);
    await scene.pass(1 + 20);
    assert.deepEqual(reasons(scene), ['pre-warmed: next use expected 26.1 to 33 min after the last']);

    const late = await used(30, 40);
    await late.pass(60 * MIN);
    assert.equal(late.runtime.orders.length, 0, 'its time has passed');
    const within = await used(30, 28);
    await within.pass(20);
    assert.equal(living(within), 1, 'at once where it is that time');
  });

  it('goes on as it was where the past cannot be read', async () => {
    const scene = new Scene();
    scene.past.set('shop', null!);
    Object.defineProperty(scene.past, 'get', { value: () => Promise.reject(new Error('no store')) });
    await scene.meanwhile(scene.scaler.deploy(revisions(revision('shop', { function: ADAPTIVE }))));
    assert.equal((await scene.meanwhile(scene.send('shop'))).outcome, 'ok');
    await scene.pass(1_000 + scene.runtime.stopMs);
    assert.equal(living(scene), 0);
  });

  it('is pre-warmed in the revision that serves by then', async () => {
    const scene = await used(30, 10);
    const next = revision('shop', { id: 'bbbbbbbbbbbb', function: ADAPTIVE });
    await scene.meanwhile(scene.scaler.deploy(revisions(next)));
    assert.equal(scene.runtime.orders.length, 1, 'it has shown that it can start');
    await scene.pass(1_000 + scene.runtime.stopMs);
    assert.equal(living(scene), 0, 'which nobody used, and which ends by its fixed keep-alive');
    assert.equal(scene.runtime.instances[0]!.stopReason, 'no use expected for 26.1 min');
    await scene.pass(16.1 * MIN);
    assert.deepEqual(
      scene.status('shop').instances.map(({ revision: of, reason }) => [of, reason]),
      [['bbbbbbbbbbbb', 'pre-warmed: next use expected 26.1 to 33 min after the last']],
    );
    const third = revision('shop', { id: 'cccccccccccc', function: ADAPTIVE });
    await scene.meanwhile(scene.scaler.deploy(revisions(third)));
    await scene.pass(2_000);
    assert.deepEqual(
      scene.status('shop').instances.map(({ revision: of, reason }) => [of, reason]),
      [['cccccccccccc', 'deploy: warm 1 of 1']],
      'one that has been tried within the time stays',
    );
  });

  it('shares its habits between releases, and one that drains does not pre-warm', async () => {
    const scene = await used(30, 10);
    const next = scene.newScaler();
    await scene.meanwhile(
      next.deploy(revisions(revision('shop', { id: 'bbbbbbbbbbbb', function: ADAPTIVE }))),
    );
    await scene.meanwhile(scene.scaler.drain());
    await scene.pass(16.1 * MIN + 20);
    assert.equal(living(scene), 1);
    assert.equal(next.status()[0]!.instances.length, 1);
    assert.deepEqual(scene.status('shop').instances, []);
    await scene.meanwhile(next.close(0));
  });

  it('is pre-warmed by one release alone: a canary follows no habits until it serves', async () => {
    const scene = await used(30, 10);
    const canary = scene.newScaler();
    canary.followHabits(false);
    const next = revision('shop', { id: 'bbbbbbbbbbbb', function: ADAPTIVE });
    await scene.meanwhile(canary.deploy(revisions(next)));
    await scene.pass(16.2 * MIN);
    assert.equal(scene.runtime.orders.length, 1);
    assert.deepEqual(canary.status()[0]!.instances, []);
    canary.followHabits(true);
    scene.scaler.followHabits(false);
    await scene.pass(20);
    assert.deepEqual(
      canary.status()[0]!.instances.map(({ reason }) => reason),
      ['pre-warmed: next use expected 26.1 to 33 min after the last'],
    );
    await scene.pass(scene.runtime.stopMs);
    assert.deepEqual(scene.status('shop').instances, [], 'it has its fixed keep-alive');
  });

  it('goes on learning as a service, and follows that as a function again', async () => {
    const scene = await Scene.of(revision('shop', { mode: 'service', function: ADAPTIVE }));
    for (let i = 0; i < 11; i++) {
      await scene.meanwhile(scene.send('shop'));
      await scene.pass(30.5 * MIN);
    }
    assert.equal(scene.runtime.orders.length, 1);
    await scene.meanwhile(scene.scaler.setMode('shop', 'function'));
    await scene.pass(2_000);
    assert.equal(living(scene), 1, 'what the switch has tried is what would have been pre-warmed');
    await scene.pass(10 * MIN);
    assert.equal(living(scene), 0);
    assert.equal(scene.runtime.instances.at(-1)!.stopReason, 'adaptive keep-alive of 34.1 min passed');
    await scene.meanwhile(scene.send('shop'));
    await scene.pass(27 * MIN + 20);
    assert.equal(living(scene), 1);
  });

  it('takes the pre-warmed instance along where it becomes a service, or is removed', async () => {
    const scene = await used(30, 28);
    await scene.pass(20);
    await scene.meanwhile(scene.scaler.setMode('shop', 'service'));
    await scene.pass(10);
    assert.deepEqual(reasons(scene), ['mode switch: replica 1 of 1']);

    const removed = await used(30, 28);
    await removed.pass(20);
    await removed.meanwhile(removed.scaler.deploy(revisions(revision('cart'))));
    await removed.pass(10);
    assert.equal(living(removed), 0);
  });

  it('is not pre-warmed again in the same time of idleness: neither what did not start nor what was ended', async () => {
    const scene = new Scene();
    scene.past.set('shop', past(scene, 30, 28));
    scene.runtime.onStart = () => ({ takesMs: 5, fails: 'no' });
    await scene.meanwhile(scene.scaler.deploy(revisions(revision('shop', { function: ADAPTIVE }))));
    await scene.pass(5 * MIN);
    assert.equal(scene.runtime.orders.length, 1);

    const ended = await used(30, 28);
    await ended.pass(20);
    ended.runtime.instances[0]!.crash();
    await ended.pass(3 * MIN);
    assert.equal(ended.runtime.orders.length, 1);
  });

  it('says nothing while the component is switched off, and is followed again afterwards', async () => {
    const scene = await used(30, 28);
    await scene.pass(20);
    assert.equal(living(scene), 1);
    const { configured } = scene.limits.of('shop').status();
    scene.limits.choose('shop', { ...configured, concurrency: 0 });
    await scene.pass(1_000 + scene.runtime.stopMs);
    assert.equal(living(scene), 0, 'what was kept by habit has the fixed keep-alive');
    assert.equal(scene.runtime.instances[0]!.stopReason, 'keep-alive passed');

    const off = await used(30, 10);
    off.limits.choose('shop', { ...configured, concurrency: 0 });
    await off.pass(16.2 * MIN);
    assert.equal(off.runtime.orders.length, 0, 'nobody can use it');
    off.limits.choose('shop', null);
    await off.pass(20);
    assert.deepEqual(reasons(off), ['pre-warmed: next use expected 26.1 to 33 min after the last']);
  });

  it('is told of uses in between by a revision whose keep-alive is fixed, which does not follow it', async () => {
    const scene = await used(30, 10);
    const fixed = revision('shop', { id: 'bbbbbbbbbbbb' });
    await scene.meanwhile(scene.scaler.deploy(revisions(fixed)));
    for (let i = 0; i < 4; i++) {
      await scene.pass(30 * MIN);
      assert.equal(living(scene), 0);
      await scene.meanwhile(scene.send('shop'));
    }
    const habit = scene.habits.of(['shop']);
    assert.equal(habit.idleSinceMs, scene.clock.monotonicMs());
    await scene.pass(5 * MIN);
    const before = scene.runtime.orders.length;
    const adaptive = revision('shop', { id: 'cccccccccccc', function: ADAPTIVE });
    await scene.meanwhile(scene.scaler.deploy(revisions(adaptive)));
    await scene.pass(2_000);
    assert.equal(scene.runtime.orders.length, before + 1, 'the proof alone: no use is due yet');
    assert.equal(living(scene), 0);
    await scene.meanwhile(scene.send('shop'));
    assert.ok(habit.verdict!.keepMs < 50 * MIN, 'no idle time of two hours');
  });

  it('holds nothing of a component that is gone, though its past is never read', async () => {
    const scene = new Scene();
    const never = new Promise<never>(() => undefined);
    Object.defineProperty(scene.past, 'get', { value: () => never });
    const release = async (): Promise<WeakRef<Scaler>> => {
      const scaler = scene.newScaler();
      await scene.meanwhile(
        scaler.deploy(revisions(revision('shop', { function: { ...ADAPTIVE, memoryBytes: 1e7 } })), {
          prove: true,
        }),
      );
      await scene.meanwhile(scaler.close(0));
      return new WeakRef(scaler);
    };
    const gone = await release();
    await scene.pass(60_000);
    scene.runtime.orders.length = scene.runtime.instances.length = 0;
    await collectGarbage();
    assert.equal(gone.deref(), undefined);
  });

  it('is pre-warmed a little later where there was no room when it was due', async () => {
    const shop = revision('shop', { function: { ...ADAPTIVE, memoryBytes: 1 } });
    const other = revision('other', { function: { memoryBytes: 1 } });
    const scene = new Scene({ memoryBytes: 1 });
    scene.past.set('shop', past(scene, 30, 0));
    await scene.meanwhile(scene.scaler.deploy(revisions(shop, other)));
    await scene.meanwhile(scene.send('shop'));
    await scene.pass(26 * MIN);
    const work = scene.send('other', 20_000);
    await scene.pass(0.2 * MIN);
    assert.deepEqual(reasons(scene), [], 'the other has all of the room');
    await scene.pass(MIN);
    assert.deepEqual(reasons(scene), ['pre-warmed: next use expected 26.1 to 33 min after the last']);
    await scene.meanwhile(work);
  });

  it('is inspected without any of it', async () => {
    const scene = new Scene();
    scene.past.set('shop', past(scene, 30, 28));
    const inspect = { component: 'shop', port: 9229 };
    const shop = revisions(revision('shop', { function: ADAPTIVE }));
    await scene.meanwhile(scene.scaler.deploy(shop, { inspect }));
    await scene.pass(5 * MIN);
    assert.equal(scene.runtime.orders.length, 0);
  });
});

describe('decide, a function with a habit', () => {
  const HABIT: HabitView = {
    idleSinceMs: 0,
    prewarmed: false,
    prewarmAfterMs: 13.5 * MIN,
    keepMs: 66 * MIN,
  };
  const view = (id: string, o: Partial<InstanceView> = {}): InstanceView => ({
    id,
    state: 'ready',
    inFlight: 0,
    served: 1,
    idleSinceMs: 0,
    failing: null,
    ...o,
  });
  const functions = (o: Partial<FunctionSnapshot> = {}): FunctionSnapshot => ({
    mode: 'function',
    settings: { ...revision('x').spec.function, ...ADAPTIVE },
    queued: 0,
    instances: [],
    retry: { failures: 0, retryAtMs: Number.NEGATIVE_INFINITY, latest: 'revision' as const },
    warm: 0,
    startsAtOnce: 100,
    habit: HABIT,
    ...o,
  });

  it('does what the worked example says', () => {
    const used = functions({ instances: [view('a')] });
    assert.deepEqual(decide(used, 0), {
      starts: [],
      ends: [{ id: 'a', reason: 'no use expected for 13.5 min', withZygote: true }],
      refuse: 0,
      wakeAtMs: 13.5 * MIN,
    });
    assert.deepEqual(decide(functions(), 13.5 * MIN), {
      starts: ['pre-warmed: next use expected 13.5 to 66 min after the last'],
      ends: [],
      refuse: 0,
      wakeAtMs: 13.75 * MIN,
      prewarms: true,
    });
    const warmed = functions({
      instances: [view('b', { served: 0, idleSinceMs: 13.6 * MIN })],
      habit: { ...HABIT, prewarmed: true },
    });
    assert.deepEqual(decide(warmed, 66 * MIN - 1), { starts: [], ends: [], refuse: 0, wakeAtMs: 66 * MIN });
    assert.deepEqual(decide(warmed, 66 * MIN).ends, [
      { id: 'b', reason: 'adaptive keep-alive of 66 min passed', withZygote: true },
    ]);
    const stays = functions({ instances: [view('a')], habit: { ...HABIT, prewarmAfterMs: 0 } });
    assert.equal(decide(stays, 66 * MIN - 1).wakeAtMs, 66 * MIN);
    assert.equal(decide(stays, 66 * MIN).ends.length, 1);
  });

  it('has the newest kept, and the others to the fixed keep-alive', () => {
    const instances = [view('old', { idleSinceMs: 900 }), view('new', { idleSinceMs: 100 })];
    const snapshot = functions({ instances, habit: { ...HABIT, prewarmAfterMs: 0 } });
    assert.deepEqual(decide(snapshot, 1_899), { starts: [], ends: [], refuse: 0, wakeAtMs: 1_900 });
    assert.deepEqual(decide(snapshot, 1_900).ends, [{ id: 'old', reason: 'keep-alive passed' }]);
  });

  it('has all that are idle end at once where no use is expected', () => {
    const snapshot = functions({ instances: [view('old', { idleSinceMs: 900 }), view('new')] });
    const { ends, wakeAtMs } = decide(snapshot, 1_000);
    const reason = 'no use expected for 13.5 min';
    assert.deepEqual(
      ends,
      ['old', 'new'].map((id) => ({ id, reason, withZygote: true })),
    );
    assert.equal(wakeAtMs, 13.5 * MIN);
  });

  it('says nothing of idle instances beside one at work', () => {
    const instances = [view('idle'), view('busy', { inFlight: 1 })];
    const snapshot = functions({ instances, habit: { ...HABIT, idleSinceMs: null } });
    assert.equal(decide(snapshot, 999).ends.length, 0);
    assert.deepEqual(decide(snapshot, 1_000).ends, [{ id: 'idle', reason: 'keep-alive passed' }]);
  });

  it('counts from now where another release is at work', () => {
    const stays = { ...HABIT, idleSinceMs: null, prewarmAfterMs: 0 };
    assert.equal(
      decide(functions({ instances: [view('a')], habit: stays }), 5_000).wakeAtMs,
      5_000 + 66 * MIN,
    );
  });

  it('pre-warms nothing beside what is there, waits, starts or is full', () => {
    const at = 20 * MIN;
    for (const other of [
      { queued: 1 },
      { instances: [view('a', { state: 'starting' })] },
      { instances: [view('a', { served: 0, idleSinceMs: at })] },
      { instances: [view('a', { inFlight: 1 })], habit: { ...HABIT, idleSinceMs: null } },
      { habit: { ...HABIT, prewarmed: true } },
      { habit: null },
      { retry: { failures: 1, retryAtMs: 0, latest: 'revision' as const } },
      { settings: { ...functions().settings, maxInstances: 1 }, instances: [view('a', { state: 'ending' })] },
    ] satisfies Partial<FunctionSnapshot>[]) {
      const { starts, prewarms } = decide(functions(other), at);
      assert.equal(prewarms, undefined, JSON.stringify(other));
      assert.ok(starts.every((reason) => reason === 'queue 1'));
    }
  });

  it('keeps what a mode switch warms up', () => {
    const snapshot = functions({ warm: 1, instances: [view('a')] });
    assert.equal(decide(snapshot, 100 * MIN).ends.length, 0);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CancelSource } from '../../base/cancel.ts';
import { FulcrumError } from '../../base/errors.ts';
import { NO_LIMITS, type Limits } from '../../model/app.ts';
import type { InvocationEnd } from '../../model/invocation.ts';
import { InvocationDispatcher } from '../dispatcher.ts';
import type { FakeInstance } from '../testing/fake-runtime.ts';
import { Scene, revision, revisions, type RevisionOptions } from '../testing/scene.ts';
import { AppLimits } from './app-limits.ts';

type Told = [outcome: string, limit: unknown, retryAfterS: number | null];

function told({ outcome, error }: InvocationEnd): Told {
  return [outcome, error?.details['limit'] ?? null, error?.retryAfterS ?? null];
}

async function limited(limits: Partial<Limits>, o: RevisionOptions = {}): Promise<Scene> {
  const one = revision('shop', { ...o, limits });
  const scene = await Scene.of(one);
  scene.limits.configure(new Map([['shop', one.spec]]), null);
  return scene;
}

async function sendMany(scene: Scene, count: number, takesMs = 1): Promise<Told[]> {
  const all = Promise.all(Array.from({ length: count }, () => scene.send('shop', takesMs)));
  return (await scene.meanwhile(all)).map(told);
}

const served = (all: readonly Told[]): number => all.filter(([outcome]) => outcome === 'ok').length;

describe('limits', () => {
  it('let through as many per second as they say, and tell the others which limit it was and when to come again', async () => {
    const scene = await limited({ rps: 2, burst: 4 });
    const all = await sendMany(scene, 10);
    assert.equal(served(all), 4);
    assert.deepEqual(all.at(-1), ['refused', 'rps', 1]);
    assert.ok(scene.runtime.instances.length <= 4, 'what was refused has cost no instance');
    const refused = scene.usage.filter(({ outcome }) => outcome === 'refused');
    assert.equal(refused.length, 6);
    assert.deepEqual([...new Set(refused.map(({ status }) => status))], [429]);
    await scene.pass(1_000);
    assert.equal(served(await sendMany(scene, 5)), 2);
  });

  it('tell the whole time that a slow bucket needs', async () => {
    const scene = await limited({ rps: 0.1, burst: 1 });
    assert.deepEqual((await sendMany(scene, 2))[1], ['refused', 'rps', 10]);
  });

  it('count every trigger, and clients only where there is one', async () => {
    const scene = await limited({ rps: 1, burst: 3, perClient: { rps: 1, burst: 1 } });
    const send = async (client: string | null, trigger: 'route' | 'call'): Promise<Told> =>
      told(await scene.meanwhile(scene.send('shop', 1, { client, trigger })));
    assert.equal((await send('a', 'route'))[0], 'ok');
    assert.deepEqual(await send('a', 'route'), ['refused', 'perClient', 1]);
    assert.equal((await send('b', 'route'))[0], 'ok', 'what was refused of a client cost the others nothing');
    assert.equal((await send(null, 'call'))[0], 'ok');
    assert.deepEqual(await send(null, 'call'), ['refused', 'rps', 1]);
    // Refused by what is for all, it is not held against this client.
    assert.equal((await send('c', 'route'))[1], 'rps');
    await scene.pass(1_000);
    assert.equal((await send('c', 'route'))[0], 'ok');
  });

  it('ask nobody who the client is where clients are not told apart', async () => {
    const scene = await limited({ rps: 100, burst: 100 });
    const seed = {
      get client(): string {
        throw new Error('asked');
      },
    };
    const end = scene.dispatcher.run(
      'shop',
      Object.defineProperties(
        {
          requestId: 'r',
          traceparent: '',
          trigger: 'route',
          signal: null,
          deadlineMs: null,
          affinityKey: null,
        },
        Object.getOwnPropertyDescriptors(seed),
      ) as Parameters<InvocationDispatcher['run']>[1],
      (slot, context) => (slot.instance as FakeInstance).work(context, 1),
    );
    assert.equal((await scene.meanwhile(end)).outcome, 'ok');
  });

  it('of concurrency count what waits and what is worked on, over a switch of the mode', async () => {
    const scene = await limited({ concurrency: 3 }, { function: { maxInstances: 1 } });
    const first = [scene.send('shop', 500), scene.send('shop', 500)];
    await scene.pass(100);
    assert.equal(scene.status('shop').queued, 1);
    const switching = scene.scaler.setMode('shop', 'service');
    await scene.meanwhile(switching);
    const third = scene.send('shop', 500);
    assert.deepEqual(told(await scene.meanwhile(scene.send('shop', 1))), ['refused', 'concurrency', 1]);
    const ends = await scene.meanwhile(Promise.all([...first, third]));
    assert.deepEqual(
      ends.map(({ outcome }) => outcome),
      ['ok', 'ok', 'ok'],
    );
    assert.equal(served(await sendMany(scene, 5, 10)), 3);
  });

  it('of concurrency hold from the moment on at which they are set, for what was there before, too', async () => {
    const scene = await limited({});
    const before = [scene.send('shop', 300), scene.send('shop', 300)];
    await scene.pass(10);
    scene.limits.choose('shop', { ...NO_LIMITS, concurrency: 2 });
    assert.equal((await scene.send('shop', 1)).error?.code, 'rate-limited');
    await scene.meanwhile(Promise.all(before));
    assert.equal((await scene.meanwhile(scene.send('shop', 1))).outcome, 'ok');
  });

  it('of concurrency are free again when a client has left before its turn', async () => {
    const scene = await limited({ concurrency: 2 }, { function: { maxInstances: 1 } });
    const first = scene.send('shop', 200);
    const caller = new CancelSource();
    const second = scene.send('shop', 200, { signal: caller });
    await scene.pass(50);
    assert.equal((await scene.send('shop', 1)).outcome, 'refused');
    caller.abort(new FulcrumError('client-gone', 'gone'));
    assert.equal((await second).outcome, 'cancelled');
    const third = scene.send('shop', 1);
    assert.equal((await scene.meanwhile(third)).outcome, 'ok');
    assert.equal((await first).outcome, 'ok');
  });

  it('of 0 switch a component off, whatever asks; what is in work is finished', async () => {
    const scene = await limited({});
    const working = scene.send('shop', 200);
    await scene.pass(50);
    scene.limits.choose('shop', { ...NO_LIMITS, concurrency: 0 });
    for (const trigger of ['route', 'call', 'schedule', 'manual'] as const) {
      const { outcome, error } = await scene.send('shop', 1, { trigger });
      assert.deepEqual(
        [outcome, error!.code, error!.status, error!.retryAfterS],
        ['refused', 'switched-off', 429, 30],
      );
      assert.match(error!.message, /fulcrum limits shop --on/);
    }
    assert.equal((await scene.meanwhile(working)).outcome, 'ok');
    scene.limits.choose('shop', null);
    assert.equal((await scene.meanwhile(scene.send('shop', 1))).outcome, 'ok');
    assert.equal(scene.limits.of('shop').status().refused, 4);
  });

  it('stay with the app: a release beside another has no bucket of its own, nor has the next', async () => {
    const limits = { rps: 1, burst: 4, concurrency: 4 };
    const scene = await limited(limits, { mode: 'service' });
    const beside = scene.newScaler();
    const next = revision('shop', { id: 'bbbbbbbbbbbb', mode: 'service', limits });
    await scene.meanwhile(beside.deploy(revisions(next)));
    const dispatcher = new InvocationDispatcher({
      slots: beside,
      clock: scene.clock,
      usage: { record: () => undefined },
    });
    const seed = {
      requestId: 'r',
      traceparent: '',
      trigger: 'route',
      signal: null,
      deadlineMs: null,
      client: null,
      affinityKey: null,
    } as const;
    const sendBeside = (takesMs: number): Promise<InvocationEnd> =>
      dispatcher.run('shop', seed, (slot, context) => (slot.instance as FakeInstance).work(context, takesMs));
    const old = [scene.send('shop', 5_000), scene.send('shop', 5_000)];
    const fresh = [sendBeside(5_000), sendBeside(5_000)];
    await scene.pass(2_000);
    assert.equal((await scene.send('shop', 1)).error?.details['limit'], 'concurrency');
    assert.equal((await sendBeside(1)).error?.details['limit'], 'concurrency');
    const ends = await scene.meanwhile(Promise.all([...old, ...fresh]));
    assert.deepEqual(
      ends.map(({ outcome }) => outcome),
      ['ok', 'ok', 'ok', 'ok'],
    );
    await scene.meanwhile(scene.scaler.close(0));
    scene.limits.configure(new Map([['shop', next.spec]]), null);
    const after = await scene.meanwhile(Promise.all(Array.from({ length: 6 }, () => sendBeside(1))));
    assert.equal(after.filter(({ outcome }) => outcome === 'ok').length, 4);
  });
});

describe('limits that were chosen by hand', () => {
  const component = (limits: Partial<Limits>) => new Map([['shop', revision('shop', { limits }).spec]]);
  const clock = new Scene().clock;

  it('hold until the config itself says something else, and again when it says what it did', () => {
    const app = new AppLimits(clock);
    app.configure(component({ rps: 5, burst: 5 }), null);
    const kept = app.choose('shop', { ...NO_LIMITS, concurrency: 0 });
    app.configure(component({ rps: 5, burst: 5 }), null);
    assert.equal(app.of('shop').holds.concurrency, 0);
    app.configure(component({ rps: 6, burst: 6 }), null);
    assert.deepEqual(app.of('shop').status(), {
      configured: { ...NO_LIMITS, rps: 6, burst: 6 },
      chosen: null,
      refused: 0,
    });
    app.configure(component({ rps: 5, burst: 5 }), null);
    assert.equal(app.of('shop').holds.concurrency, 0, 'a rollback brings it back');

    const restarted = new AppLimits(clock, { shop: kept! });
    restarted.configure(component({ rps: 5, burst: 5 }), null);
    assert.deepEqual(restarted.of('shop').status().chosen, { ...NO_LIMITS, concurrency: 0 });
    assert.equal(restarted.choose('shop', null), null);
    assert.equal(restarted.of('shop').any, true);
    assert.equal(restarted.of('shop').holds.rps, 5);
  });

  it('outlive a release without the component', () => {
    const app = new AppLimits(clock);
    app.configure(component({}), null);
    app.choose('shop', { ...NO_LIMITS, concurrency: 0 });
    app.configure(new Map(), null);
    app.configure(component({}), null);
    assert.equal(app.of('shop').holds.concurrency, 0);
  });

  it('a canary changes nothing of what serves, and has its own where it alone has the component', () => {
    const app = new AppLimits(clock);
    const canary = new Map([
      ...component({ rps: 9, burst: 9 }),
      ['new', revision('new', { limits: { concurrency: 7 } }).spec] as const,
    ]);
    app.configure(component({ rps: 5, burst: 5 }), canary);
    assert.equal(app.of('shop').holds.rps, 5);
    assert.equal(app.of('new').holds.concurrency, 7);
    app.configure(canary, null);
    assert.equal(app.of('shop').holds.rps, 9);
  });
});

describe('a choice by hand', () => {
  it('that is what the config says is none', async () => {
    const scene = await limited({ rps: 2, burst: 4 });
    const of = scene.limits.of('shop');
    const configured = { ...NO_LIMITS, rps: 2, burst: 4 };
    assert.notEqual(scene.limits.choose('shop', { ...configured, concurrency: 0 }), null);
    assert.equal(scene.limits.choose('shop', { ...configured }), null);
    assert.deepEqual([of.choice, of.status().chosen], [null, null]);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { MAX_CALL_ATTEMPTS, MAX_CALL_DEPTH } from '../model/calls.ts';
import type { InvocationContext } from '../model/invocation.ts';
import type { BodySource } from '../model/body.ts';
import { CallScene, DONE, callOf } from './testing/calls.ts';
import { revision, Scene } from './testing/scene.ts';

/** Services that call each other in a row, the last of which does its work. */
async function chainOf(length: number, ends = true): Promise<CallScene> {
  const names = Array.from({ length }, (_, i) => `c${i}`);
  const scene = await CallScene.of(...names.map((name) => revision(name, { mode: 'service' })));
  for (const [i, name] of names.entries()) {
    const next = names[i + 1] ?? (ends ? null : names[0]!);
    if (next !== null) scene.handlers.set(name, scene.calling(next));
  }
  return scene;
}

const count = (all: readonly string[], name: string): number => all.filter((one) => one === name).length;

describe('a chain of calls', () => {
  it('has deadlines that never grow along it, each bounded by the own timeout of the callee', async () => {
    const length = 10;
    const timeoutMs = (i: number): number => (i === 4 ? 700 : 30_000);
    const names = Array.from({ length }, (_, i) => `c${i}`);
    const chain = await CallScene.of(
      ...names.map((name, i) => revision(name, { mode: 'service', service: { timeoutMs: timeoutMs(i) } })),
    );
    const seen: InvocationContext[] = [];
    for (const [i, name] of names.entries()) {
      chain.handlers.set(name, async (called, context) => {
        seen.push(context);
        await chain.scene.clock.advance(10);
        return i + 1 < length ? await chain.calling(names[i + 1]!)(called, context) : DONE;
      });
    }
    const beganMs = chain.scene.clock.monotonicMs();
    assert.equal((await chain.call('c0')).outcome, 'ok');
    assert.equal(seen.length, length);
    const left = seen.map(({ deadlineMs }) => deadlineMs - beganMs);
    assert.deepEqual(left, [...Array<number>(4).fill(5_000), ...Array<number>(6).fill(4 * 10 + 700)]);
    assert.deepEqual(
      seen.map(({ call }) => call!.depth),
      Array.from({ length }, (_, i) => i + 1),
    );
  });

  it('of ten ends with its first caller, and every one of them is told to', async () => {
    const chain = await chainOf(10);
    chain.scene.runtime.workMs = Number.POSITIVE_INFINITY;
    const signals: boolean[] = [];
    const calling = chain.call('c0');
    await chain.scene.pass(1);
    assert.equal(chain.begun.length, 10);
    const instances = chain.scene.runtime.instances;
    for (const instance of instances) assert.equal(instance.inFlight, 1);
    chain.gone.abort(new FulcrumError('client-gone', 'The caller went away.'));
    assert.equal((await calling).outcome, 'cancelled');
    await chain.scene.pass(1);
    for (const instance of instances) signals.push(instance.inFlight === 0);
    assert.deepEqual(signals, Array<boolean>(10).fill(true));
    assert.deepEqual(
      chain.scene.usage.map(({ outcome }) => outcome),
      Array<string>(10).fill('cancelled'),
    );
    assert.deepEqual(chain.begun.length, 10, 'nothing was begun again');
  });

  it('that closes is refused where it does, before anything is begun for it', async () => {
    const chain = await chainOf(3, false);
    const { thrown } = await chain.call('c0');
    assert.equal(thrown!.code, 'call-cycle');
    assert.match(thrown!.message, /c0\.priceOf → c1\.priceOf → c2\.priceOf → c0\.priceOf/);
    assert.deepEqual(chain.begun, ['c0.priceOf', 'c1.priceOf', 'c2.priceOf']);
  });

  it('is no longer than it may be', async () => {
    const chain = await CallScene.of(revision('catalog', { mode: 'service' }));
    chain.handlers.set('catalog', (called, context) =>
      chain.calling('catalog', `f${Number(called.slice(1)) + 1}`)(called, context),
    );
    const { thrown } = await chain.call('catalog', 'f1');
    assert.equal(thrown!.code, 'call-too-deep');
    assert.equal(chain.begun.length, MAX_CALL_DEPTH);
  });
});

describe('an idempotent function', () => {
  /** A call of a function on instances that die, the first `deaths` times. */
  async function dying(
    deaths: number,
    o: { idempotent?: boolean; timeoutMs?: number } = {},
  ): Promise<CallScene> {
    const { idempotent = true, timeoutMs = 30_000 } = o;
    const chain = await CallScene.of(revision('catalog', { function: { timeoutMs } }));
    if (idempotent) chain.scene.runtime.idempotent = ['priceOf'];
    let left = deaths;
    chain.scene.runtime.onInvoke = async (instance, _, context) => {
      chain.begun.push(context.component);
      if (left-- > 0) {
        chain.scene.clock.after(5, () => instance.crash());
        return { ...(await instance.work(context, Infinity)), value: null, thrown: null };
      }
      return DONE;
    };
    return chain;
  }

  for (const deaths of [0, 1, 2]) {
    it(`is begun again where its instance dies, ${deaths} times`, async () => {
      const chain = await dying(deaths);
      assert.equal((await chain.scene.meanwhile(chain.call('catalog'))).outcome, 'ok');
      assert.equal(chain.begun.length, deaths + 1);
      assert.deepEqual(
        chain.records.map(({ attempts }) => attempts),
        [deaths + 1],
      );
    });
  }

  it('is begun no more often than it may, and then told of as what it died of', async () => {
    const chain = await dying(10);
    const { outcome, thrown } = await chain.scene.meanwhile(chain.call('catalog'));
    assert.deepEqual([outcome, thrown!.code], ['crashed', 'instance-crashed']);
    assert.equal(chain.begun.length, MAX_CALL_ATTEMPTS);
  });

  it('alone is begun again', async () => {
    const chain = await dying(1, { idempotent: false });
    assert.equal((await chain.scene.meanwhile(chain.call('catalog'))).outcome, 'crashed');
    assert.equal(chain.begun.length, 1);
  });

  it('is not begun again for one who has gone while it was waited', async () => {
    const chain = await dying(10);
    const calling = chain.call('catalog');
    // Started, begun and dead: what is next is the pause.
    await chain.scene.pass(20 + 5 + 10);
    chain.gone.abort(new FulcrumError('client-gone', 'The caller went away.'));
    await chain.scene.meanwhile(calling);
    await chain.scene.pass(500);
    assert.equal(chain.begun.length, 1);
  });

  it('has no more time for all its tries than for one, its own or its caller’s', async () => {
    const own = await dying(10, { timeoutMs: 80 });
    const result = await own.scene.meanwhile(own.call('catalog'));
    assert.deepEqual([result.outcome, own.begun.length], ['crashed', 1]);
    const callers = await dying(10);
    const deadlineMs = callers.scene.clock.monotonicMs() + 80;
    await callers.scene.meanwhile(callers.call('catalog', 'priceOf', { deadlineMs }));
    assert.equal(callers.begun.length, 1);
  });

  it('is not begun again where streams went to it, or a result was told', async () => {
    const body: BodySource = { lengthBytes: null, read() {}, pause() {}, resume() {}, cancel() {} };
    const streams = await dying(1);
    const passing = streams.caller.call(
      'storefront',
      'catalog',
      callOf('priceOf', { passed: [body] }),
      streams.parent(),
    );
    assert.equal((await streams.scene.meanwhile(passing)).outcome, 'crashed');
    assert.equal(streams.begun.length, 1);

    const told = await dying(0);
    told.scene.runtime.onInvoke = async (instance, invocation, context) => {
      told.begun.push(context.component);
      if (invocation.kind === 'call')
        invocation.onReturned!({ value: { encoding: 'json', bytes: new Uint8Array() }, passed: [] });
      told.scene.clock.after(5, () => instance.crash());
      return { ...(await instance.work(context, Infinity)), value: null, thrown: null };
    };
    const order = callOf('priceOf', { onReturned: () => undefined });
    const calling = told.caller.call('storefront', 'catalog', order, told.parent());
    assert.equal((await told.scene.meanwhile(calling)).outcome, 'crashed');
    assert.equal(told.begun.length, 1);
  });

  /** A → b → c, all idempotent; `dies` tells of whom the instance dies. */
  async function linked(dies: (component: string, nth: number) => boolean): Promise<CallScene> {
    const chain = await CallScene.of(revision('b'), revision('c'));
    chain.scene.runtime.idempotent = ['priceOf'];
    chain.handlers.set('b', chain.calling('c'));
    const invoke = chain.scene.runtime.onInvoke;
    chain.scene.runtime.onInvoke = async (instance, invocation, context) => {
      const done = invoke(instance, invocation, context);
      const { component } = context;
      if (component === 'c' && dies('c', count(chain.begun, 'c.priceOf'))) instance.crash();
      if (component === 'b' && dies('b', count(chain.begun, 'b.priceOf')))
        // When what it has called is over.
        chain.scene.clock.after(400, () => instance.crash());
      return await done;
    };
    if (dies('b', 1))
      chain.handlers.set('b', async (called, context) => {
        await chain.calling('c')(called, context);
        return await new Promise(() => undefined);
      });
    await chain.scene.meanwhile(chain.call('b'));
    return chain;
  }

  it('at the end of a chain is begun three times, not three times for each of its callers', async () => {
    const { begun } = await linked((component) => component === 'c');
    assert.deepEqual([count(begun, 'b.priceOf'), count(begun, 'c.priceOf')], [1, MAX_CALL_ATTEMPTS]);
  });

  it('that has called another which was begun again is not begun again itself', async () => {
    const { begun } = await linked((component, nth) => component === 'b' || nth === 1);
    assert.deepEqual([count(begun, 'b.priceOf'), count(begun, 'c.priceOf')], [1, 2]);
  });

  it('that was begun again has what it calls begun once each time', async () => {
    const { begun } = await linked((component, nth) => component === 'b' || nth === 2);
    assert.deepEqual([count(begun, 'b.priceOf'), count(begun, 'c.priceOf')], [3, 3]);
  });
});

describe('calls on a machine that is short', () => {
  /** Two functions, and others beside them, so that each has its one instance as its part. */
  async function ring(): Promise<CallScene> {
    const o = { function: { memoryBytes: 1 } };
    const scene = await Scene.within(
      { memoryBytes: 100, cpus: 1 },
      ...['a', 'b', 'x', 'y'].map((name) => revision(name, o)),
    );
    const calls = new CallScene(scene);
    for (const name of ['x', 'y']) void scene.send(name, 60_000);
    await scene.pass(50);
    scene.cpuUsedUp = true;
    return calls;
  }
  const live = ({ scene }: CallScene, name: string): number => scene.status(name).instances.length;

  it('of processors come back to a function that waits for them, although that has its part of them already', async () => {
    const calls = await ring();
    calls.handlers.set('b', calls.calling('a', 'here'));
    const there = calls.calling('b', 'andBack');
    calls.handlers.set('a', async (called, context) =>
      called === 'here' ? DONE : await there(called, context),
    );
    const result = await calls.scene.meanwhile(calls.call('a', 'there'), 1_000);
    assert.equal(result.outcome, 'ok');
    assert.equal(live(calls, 'a'), 2);
  });

  it('of processors are answered to two that wait for each other', async () => {
    const calls = await ring();
    for (const [name, other] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const there = calls.calling(other, 'here');
      calls.handlers.set(name, async (called, context) => {
        if (called === 'here') return DONE;
        // Both are at work when both call.
        await calls.scene.clock.advance(100);
        return await there(called, context);
      });
    }
    const both = Promise.all([calls.call('a', 'there'), calls.call('b', 'there')]);
    const results = await calls.scene.meanwhile(both, 2_500);
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      ['ok', 'ok'],
    );
  });

  it('of processors are held as all else is while there is one at work', async () => {
    const calls = await ring();
    const ends = Array.from({ length: 8 }, () => calls.call('a'));
    calls.scene.runtime.workMs = 200;
    await calls.scene.pass(150);
    assert.equal(live(calls, 'a'), 1);
    calls.scene.cpuUsedUp = false;
    for (const { outcome } of await calls.scene.meanwhile(Promise.all(ends))) assert.equal(outcome, 'ok');
  });

  it('of memory are made where all that is there waits for them', async () => {
    const o = { function: { memoryBytes: 1 } };
    const scene = await Scene.within({ memoryBytes: 100 }, revision('a', o), revision('b', o));
    const calls = new CallScene(scene);
    const there = calls.calling('b', 'here');
    calls.handlers.set('a', async (called, context) => {
      // By then the shortage has been seen.
      await scene.clock.advance(1_500);
      return await there(called, context);
    });
    scene.memory = { availableBytes: 1, totalBytes: 100 };
    const both = Promise.all([calls.call('a'), calls.call('a')]);
    for (const { outcome } of await scene.meanwhile(both, 4_900)) assert.equal(outcome, 'ok');
  });
});

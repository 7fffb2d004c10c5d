import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import type { InvocationControl } from '../model/dispatch.ts';
import type { InvocationContext, InvocationEnd } from '../model/invocation.ts';
import type { Slot } from '../model/slot.ts';
import type { FakeInstance } from './testing/fake-runtime.ts';
import { Scene, revision } from './testing/scene.ts';

const OK: InvocationEnd = { outcome: 'ok', error: null, cpuMs: 3 };
const SEED = {
  requestId: 'r_1',
  traceparent: 't',
  trigger: 'route',
  signal: null,
  deadlineMs: null,
  client: null,
  affinityKey: null,
} as const;

async function warm(o: Parameters<typeof revision>[1] = {}): Promise<Scene> {
  const scene = await Scene.of(revision('shop', o));
  await scene.meanwhile(scene.send('shop', 1));
  scene.usage.length = 0;
  return scene;
}

describe('InvocationDispatcher', () => {
  it('works before it returns where an instance is free', async () => {
    const scene = await warm();
    let seen: InvocationContext | null = null;
    const running = scene.dispatcher.run('shop', SEED, async (_, context) => {
      seen = context;
      return OK;
    });
    assert.ok(seen !== null);
    const { requestId, traceparent, trigger, deadlineMs } = seen as InvocationContext;
    assert.deepEqual([requestId, traceparent, trigger], ['r_1', 't', 'route']);
    assert.equal(deadlineMs, scene.clock.monotonicMs() + 30_000);
    assert.equal(await running, OK);
    assert.equal(scene.dispatcher.running, 0);
  });

  it('counts the bytes that passed by its end, those of the answer that says why there was no slot included', async () => {
    const scene = await warm();
    const passing = { ...SEED, bytesIn: 0, bytesOut: 0 };
    const carry = (component: string): void =>
      scene.dispatcher.carry(component, passing, {
        begin: (_, __, control) => {
          Object.assign(passing, { bytesIn: 7, bytesOut: 11 });
          control.over(OK);
        },
        finished: ({ outcome }) => {
          if (outcome === 'refused') Object.assign(passing, { bytesIn: 0, bytesOut: 90 });
        },
      });
    carry('shop');
    void scene.scaler.close(0);
    carry('shop');
    await scene.dispatcher.run('shop', SEED, () => Promise.resolve(OK));
    assert.deepEqual(
      scene.usage.map(({ outcome, bytesIn, bytesOut }) => [outcome, bytesIn, bytesOut]),
      [
        ['ok', 7, 11],
        ['refused', 0, 90],
        ['refused', 0, 0],
      ],
    );
  });

  it('bills a function for its start and its work, rounded up', async () => {
    const scene = await Scene.of(revision('shop'));
    scene.runtime.onStart = () => ({ takesMs: 20.2 });
    await scene.meanwhile(scene.send('shop', 30.3));
    const [cold] = scene.usage;
    assert.deepEqual(
      [cold!.cold, cold!.startMs, cold!.waitedMs, Math.round(cold!.durationMs * 10) / 10, cold!.billedMs],
      [true, 20.2, 20.2, 30.3, 51],
    );
    assert.deepEqual(
      [cold!.mode, cold!.revision, cold!.memoryBytes, cold!.cpuMs],
      ['function', 'aaaaaaaaaaaa', 128, 1],
    );
    assert.equal(cold!.arrivedAtMs, Date.UTC(2026, 0, 1));
    await scene.meanwhile(scene.send('shop', 5));
    assert.deepEqual(
      [scene.usage[1]!.cold, scene.usage[1]!.startMs, scene.usage[1]!.billedMs],
      [false, 0, 5],
    );
  });

  it('bills a start once, to the first of those that waited for it', async () => {
    const scene = await Scene.of(revision('shop', { function: { concurrency: 3 } }));
    scene.runtime.onStart = () => ({ takesMs: 20 });
    const first = scene.send('shop', 30);
    await scene.pass(5);
    await scene.meanwhile(Promise.all([first, scene.send('shop', 30), scene.send('shop', 30)]));
    assert.deepEqual(
      scene.usage.map(({ cold, waitedMs, startMs, billedMs }) => [cold, waitedMs, startMs, billedMs]),
      [
        [true, 20, 20, 50],
        [true, 15, 0, 30],
        [true, 15, 0, 30],
      ],
    );
  });

  it('bills a service nothing by the invocation', async () => {
    const scene = await warm({ mode: 'service' });
    await scene.meanwhile(scene.send('shop', 30));
    const [record] = scene.usage;
    assert.deepEqual(
      [record!.mode, record!.durationMs, record!.billedMs, record!.memoryBytes],
      ['service', 30, 0, 256],
    );
  });

  it('records the status it was told, else the error’s where a client was told one', async () => {
    const scene = await warm();
    const error = new FulcrumError('handler-error', 'boom');
    await scene.dispatcher.run('shop', SEED, async (_, __, control) => {
      control.status(418);
      return OK;
    });
    const failed = async (): Promise<InvocationEnd> => ({ outcome: 'handler-error', error, cpuMs: 0 });
    await scene.dispatcher.run('shop', SEED, failed);
    await scene.dispatcher.run('shop', { ...SEED, trigger: 'event' }, failed);
    assert.deepEqual(
      scene.usage.map(({ status }) => status),
      [418, 500, 0],
    );
  });

  it('aborts at the deadline, at most 20 ms late', async () => {
    const scene = await warm({ function: { timeoutMs: 203 } });
    const beganMs = scene.clock.monotonicMs();
    let abortedMs = 0;
    const running = scene.dispatcher.run(
      'shop',
      SEED,
      (_, { signal }) =>
        new Promise<InvocationEnd>((resolve) => {
          signal.addEventListener('abort', () => {
            abortedMs = scene.clock.monotonicMs() - beganMs;
            resolve({ outcome: 'handler-error', error: signal.reason as FulcrumError, cpuMs: 9 });
          });
        }),
    );
    await scene.pass(230);
    assert.ok(abortedMs >= 203 && abortedMs <= 223, `${abortedMs} ms`);
    const end = await running;
    assert.deepEqual([end.outcome, end.error!.code], ['timeout', 'timeout']);
    assert.equal(scene.usage[0]!.status, 504);
    assert.equal(scene.usage[0]!.cpuMs, 9);
  });

  it('takes the caller’s deadline where that is sooner', async () => {
    const scene = await warm({ mode: 'service' });
    const running = scene.send('shop', 1_000, { deadlineMs: scene.clock.monotonicMs() + 50 });
    await scene.pass(60);
    assert.equal((await running).outcome, 'timeout');
    assert.equal((await scene.send('shop', 1, { deadlineMs: scene.clock.monotonicMs() })).outcome, 'timeout');
  });

  it('is over a second after the deadline even where the work never ends', async () => {
    const scene = await warm({ mode: 'service', service: { timeoutMs: 100 } });
    const running = scene.dispatcher.run('shop', SEED, () => new Promise<InvocationEnd>(() => undefined));
    await scene.pass(110);
    assert.equal(scene.status('shop').instances[0]!.inFlight, 0, 'its slot is free again');
    await scene.pass(1_000);
    assert.equal((await running).outcome, 'timeout');
    const { durationMs } = scene.usage[0]!;
    assert.ok(durationMs >= 100 && durationMs <= 110, `${durationMs} ms, and not the second after it`);
  });

  it('lets a service’s answer last that has begun, and no function’s', async () => {
    const answer = async (mode: 'function' | 'service'): Promise<string> => {
      const scene = await warm({ mode, function: { timeoutMs: 100 }, service: { timeoutMs: 100 } });
      const running = scene.dispatcher.run(
        'shop',
        SEED,
        async (slot, context, control: InvocationControl) => {
          control.answered();
          return await (slot.instance as FakeInstance).work(context, 5_000);
        },
      );
      return (await scene.meanwhile(running)).outcome;
    };
    assert.equal(await answer('service'), 'ok');
    assert.equal(await answer('function'), 'timeout');
  });

  it('tells the handler when its caller has gone, and frees the slot when it is done', async () => {
    const scene = await warm();
    const caller = new AbortController();
    let reason: unknown = null;
    let finish: (end: InvocationEnd) => void = () => undefined;
    const running = scene.dispatcher.run('shop', { ...SEED, signal: caller.signal }, (_, { signal }) => {
      signal.addEventListener('abort', () => (reason = signal.reason));
      return new Promise<InvocationEnd>((resolve) => (finish = resolve));
    });
    caller.abort();
    assert.equal((reason as FulcrumError).code, 'client-gone');
    assert.equal(scene.status('shop').instances[0]!.inFlight, 1, 'the handler may still be at it');
    finish({ outcome: 'handler-error', error: null, cpuMs: 0 });
    const end = await running;
    assert.deepEqual([end.outcome, end.error!.code], ['cancelled', 'client-gone']);
    assert.equal(scene.usage[0]!.status, 499);
  });

  it('an answer that came out well is well, even after an abort', async () => {
    const scene = await warm();
    const caller = new AbortController();
    const end = await scene.dispatcher.run('shop', { ...SEED, signal: caller.signal }, async () => {
      caller.abort();
      return OK;
    });
    assert.equal(end.outcome, 'ok');
  });

  it('gives back a slot that came in the moment in which its caller left', async () => {
    const scene = await warm({ function: { maxInstances: 1 } });
    const slot = scene.scaler.take('shop', scene.context()) as Slot;
    const caller = new AbortController();
    const waiting = scene.send('shop', 1, { signal: caller.signal });
    slot.release(OK);
    caller.abort();
    assert.equal((await waiting).outcome, 'cancelled');
    await scene.pass(0);
    assert.equal(scene.status('shop').instances[0]!.inFlight, 0);
    assert.equal(scene.runtime.instances[0]!.served, 1, 'nothing was begun for it');
  });

  it('starts nothing for a caller who has already gone', async () => {
    const scene = await warm();
    const end = await scene.send('shop', 1, { signal: AbortSignal.abort() });
    assert.equal(end.outcome, 'cancelled');
    assert.equal(scene.usage[0]!.durationMs, 0);
    assert.equal(scene.runtime.instances[0]!.served, 1);
  });

  it('records what was refused, and never rejects', async () => {
    const scene = await warm({ function: { maxInstances: 1, maxQueued: 1 } });
    const busy = Promise.all([scene.send('shop', 50), scene.send('shop', 50)]);
    const refused = await scene.send('shop');
    assert.equal(refused.error!.code, 'overloaded');
    const [record] = scene.usage;
    assert.deepEqual(
      [record!.outcome, record!.durationMs, record!.billedMs, record!.status, record!.revision],
      ['refused', 0, 0, 503, 'aaaaaaaaaaaa'],
    );
    assert.equal((await scene.send('nobody')).error!.code, 'not-found');
    assert.equal(scene.usage.length, 1);
    await scene.meanwhile(busy);
  });

  it('survives work that breaks its word and throws', async () => {
    const scene = await warm();
    const sync = scene.dispatcher.run('shop', SEED, () => {
      throw new Error('sync');
    });
    const late = scene.dispatcher.run('shop', SEED, async () => {
      throw new Error('late');
    });
    for (const end of await scene.meanwhile(Promise.all([sync, late]))) {
      assert.deepEqual([end.outcome, end.error!.code], ['crashed', 'internal']);
    }
    assert.equal(scene.status('shop').instances[0]!.inFlight, 0);
  });

  it('leaves no listener and no timer behind', async () => {
    const scene = await warm({ mode: 'service' });
    const caller = new AbortController();
    const listeners: string[] = [];
    const { signal } = caller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => (listeners.push('add'), add(...args));
    signal.removeEventListener = (...args: Parameters<typeof remove>) => (
      listeners.push('remove'),
      remove(...args)
    );
    await scene.meanwhile(scene.send('shop', 1, { signal }));
    assert.deepEqual(listeners, ['add', 'remove']);
  });
});

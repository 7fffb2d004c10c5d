import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import type { Slot } from '../model/slot.ts';
import { LONGEST_DELAY_MS } from './restart-backoff.ts';
import { START_LIMIT_MS } from './pooled-instance.ts';
import { Scene, revision } from './testing/scene.ts';

const OK = { outcome: 'ok', error: null, cpuMs: 0 } as const;

describe('a function', () => {
  it('has no instance until it is needed, then one that ends after its keep-alive', async () => {
    const scene = await Scene.of(revision('shop'));
    assert.equal(scene.runtime.orders.length, 0);
    await scene.meanwhile(scene.send('shop'));
    assert.deepEqual(
      scene.status('shop').instances.map(({ state, reason, served }) => ({ state, reason, served })),
      [{ state: 'ready', reason: 'queue 1', served: 1 }],
    );
    await scene.pass(999);
    assert.equal(scene.runtime.live.size, 1);
    await scene.pass(1 + scene.runtime.stopMs);
    assert.equal(scene.runtime.live.size, 0);
    assert.equal(scene.runtime.instances[0]!.stopReason, 'keep-alive passed');
    const id = scene.runtime.instances[0]!.id;
    assert.deepEqual(scene.story, [
      `instance ${id} starts: queue 1`,
      `instance ${id} is ready after 20ms`,
      `instance ${id} ended: keep-alive passed`,
    ]);
    await scene.pass(30_000); // the deadline that was watched
    assert.equal(scene.clock.pending, 0, 'nothing ticks while nothing is there');
  });

  it('gives a free instance at once, without a promise', async () => {
    const scene = await Scene.of(revision('shop'));
    await scene.meanwhile(scene.send('shop'));
    const slot = scene.scaler.take('shop', scene.context()) as Slot;
    assert.ok(!('then' in slot));
    assert.deepEqual([slot.cold, slot.waitedMs, slot.startMs], [false, 0, 0]);
    slot.release(OK);
    assert.throws(() => slot.release(OK), /released twice/);
    assert.equal(scene.status('shop').instances[0]!.inFlight, 0);
  });

  it('starts one instance for each of a burst, and no more', async () => {
    const scene = await Scene.of(revision('shop'));
    const burst = Array.from({ length: 10 }, () => scene.send('shop', 50));
    await scene.pass(5);
    const late = scene.send('shop', 50);
    await scene.meanwhile(Promise.all([...burst, late]));
    assert.equal(scene.runtime.orders.length, 11);
    assert.deepEqual(scene.runtime.breaches, []);
  });

  it('has one of those who waited for a start bear it: it is billed once', async () => {
    const scene = await Scene.of(revision('shop', { function: { concurrency: 4, maxInstances: 1 } }));
    const waiting = Array.from({ length: 3 }, () => scene.scaler.take('shop', scene.context()));
    const slots = await scene.meanwhile(Promise.all(waiting.map((slot) => Promise.resolve(slot))));
    assert.deepEqual(
      slots.map(({ cold, waitedMs, startMs }) => [cold, waitedMs, startMs]),
      [
        [true, 20, 20],
        [true, 20, 0],
        [true, 20, 0],
      ],
    );
    for (const slot of slots) slot.release(OK);
  });

  it('packs by concurrency', async () => {
    const scene = await Scene.of(revision('shop', { function: { concurrency: 4 } }));
    const ends = await scene.meanwhile(Promise.all(Array.from({ length: 10 }, () => scene.send('shop', 50))));
    assert.ok(ends.every(({ outcome }) => outcome === 'ok'));
    assert.equal(scene.runtime.orders.length, 3);
    assert.deepEqual(scene.runtime.breaches, []);
  });

  it('never has more than maxInstances, and serves those who wait in their order', async () => {
    const scene = await Scene.of(revision('shop', { function: { maxInstances: 2 } }));
    const order: number[] = [];
    const all = Array.from({ length: 7 }, (_, i) => scene.send('shop').then(() => order.push(i)));
    await scene.meanwhile(Promise.all(all));
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6]);
    assert.equal(scene.runtime.most, 2);
  });

  it('uses the newest free instance, so that the others grow idle', async () => {
    const scene = await Scene.of(revision('shop'));
    await scene.meanwhile(Promise.all([scene.send('shop'), scene.send('shop')]));
    for (let i = 0; i < 12; i++) {
      await scene.meanwhile(scene.send('shop', 1));
      await scene.pass(99);
    }
    assert.deepEqual(
      scene.runtime.instances.map(({ state, served }) => [state, served]),
      [
        ['ended', 1],
        ['ready', 13],
      ],
    );
  });

  it('gives a fresh instance to one invocation only', async () => {
    const scene = await Scene.of(revision('shop', { function: { fresh: true, concurrency: 5 } }));
    await scene.meanwhile(Promise.all(Array.from({ length: 4 }, () => scene.send('shop'))));
    await scene.meanwhile(scene.send('shop'));
    await scene.pass(100);
    assert.deepEqual(
      scene.runtime.instances.map(({ served, state }) => [served, state]),
      Array.from({ length: 5 }, () => [1, 'ended']),
    );
  });

  it('refuses one more than may wait', async () => {
    const scene = await Scene.of(revision('shop', { function: { maxInstances: 1, maxQueued: 3 } }));
    const all = Array.from({ length: 5 }, () => scene.send('shop'));
    const refused = await all[3]!;
    assert.equal(refused.outcome, 'refused');
    assert.equal(refused.error!.code, 'overloaded');
    assert.equal(refused.error!.retryAfterS, 1);
    const ends = await scene.meanwhile(Promise.all(all));
    assert.deepEqual(
      ends.map(({ outcome }) => outcome),
      ['ok', 'ok', 'ok', 'refused', 'refused'],
    );
  });

  it('never starts an invocation whose caller left while it waited', async () => {
    const scene = await Scene.of(revision('shop', { function: { maxInstances: 1 } }));
    const first = scene.send('shop', 50);
    const abort = new AbortController();
    const gone = scene.send('shop', 50, { signal: abort.signal });
    await scene.pass(30);
    abort.abort();
    assert.equal((await gone).outcome, 'cancelled');
    await scene.meanwhile(first);
    assert.equal(scene.runtime.instances[0]!.served, 1);
    assert.equal(scene.status('shop').queued, 0);
  });

  it('gives a slot back that nobody waits for any more', async () => {
    const scene = await Scene.of(revision('shop'));
    const abort = new AbortController();
    scene.runtime.onStart = () => ({ takesMs: 20 });
    const taken = Promise.resolve(scene.scaler.take('shop', scene.context({ signal: abort.signal })));
    await scene.pass(20);
    (await taken).release({ outcome: 'cancelled', error: null, cpuMs: 0 });
    await scene.pass(2_000);
    assert.equal(scene.runtime.live.size, 0);
  });

  it('replaces an instance that dies under those who wait', async () => {
    const scene = await Scene.of(revision('shop', { function: { maxInstances: 1 } }));
    const first = scene.send('shop', 100);
    const second = scene.send('shop', 100);
    await scene.pass(50);
    scene.runtime.instances[0]!.crash();
    assert.equal((await first).outcome, 'crashed');
    assert.equal((await scene.meanwhile(second)).outcome, 'ok');
    assert.match(scene.status('shop').lastError!, /exit code 1/);
  });

  it('keeps an instance whose handler throws', async () => {
    const scene = await Scene.of(revision('shop'));
    const error = new FulcrumError('handler-error', 'boom');
    for (let i = 0; i < 3; i++) {
      const taken = Promise.resolve(scene.scaler.take('shop', scene.context()));
      (await scene.meanwhile(taken)).release({ outcome: 'handler-error', error, cpuMs: 0 });
    }
    assert.equal(scene.runtime.orders.length, 1);
    assert.equal(scene.status('shop').instances[0]!.served, 3);
  });
});

describe('a function that does not start', () => {
  it('refuses quickly, backs off, and recovers', async () => {
    const scene = await Scene.of(revision('shop'));
    scene.runtime.onStart = () => ({ takesMs: 5, fails: 'SyntaxError: no' });
    const ends = await scene.meanwhile(Promise.all(Array.from({ length: 5 }, () => scene.send('shop'))));
    for (const { outcome, error } of ends) {
      assert.equal(outcome, 'refused');
      assert.equal(error!.code, 'start-failed');
      assert.match(error!.message, /"shop".*SyntaxError: no/);
      assert.equal(error!.details.output, 'last words');
      assert.ok(error!.retryAfterS! >= 1);
    }
    assert.equal(scene.runtime.orders.length, 5);
    assert.match(scene.status('shop').lastError!, /SyntaxError/);

    const during = await scene.send('shop');
    assert.equal(during.error!.code, 'start-failed', 'in the back-off at once, without a start');
    assert.equal(scene.runtime.orders.length, 5);

    await scene.pass(200);
    scene.runtime.onStart = () => ({ takesMs: 5 });
    assert.equal((await scene.meanwhile(scene.send('shop'))).outcome, 'ok');

    const before = scene.runtime.orders.length;
    const burst = Promise.all(Array.from({ length: 5 }, () => scene.send('shop')));
    await scene.pass(1);
    assert.equal(scene.runtime.orders.length - before, 4, 'all at once again, and not one probe at a time');
    await scene.meanwhile(burst);
  });

  it('is not forked in a tight loop under traffic', async () => {
    const scene = await Scene.of(revision('shop'));
    scene.runtime.onStart = () => ({ takesMs: 1, fails: 'no' });
    const sent: Promise<unknown>[] = [];
    for (let ms = 0; ms < 10_000; ms += 10) {
      sent.push(scene.send('shop'));
      await scene.pass(10);
    }
    await Promise.all(sent);
    assert.ok(scene.runtime.orders.length <= 9, `${scene.runtime.orders.length} starts in 10 s`);
    await scene.pass(LONGEST_DELAY_MS);
    assert.equal(scene.runtime.starting, 0);
  });

  it('sends one probe where many wait, and they all get what it finds', async () => {
    const scene = await Scene.of(revision('shop', { function: { concurrency: 10 } }));
    scene.runtime.onStart = (_, nth) => (nth === 1 ? { takesMs: 1, fails: 'no' } : { takesMs: 50 });
    await scene.meanwhile(scene.send('shop'));
    await scene.pass(100);
    const ends = Promise.all(Array.from({ length: 30 }, () => scene.send('shop', 5)));
    await scene.pass(10);
    assert.equal(scene.runtime.orders.length, 2);
    assert.ok((await scene.meanwhile(ends)).every(({ outcome }) => outcome === 'ok'));
  });

  it('gives up a start that never ends, and does not hang those who wait', async () => {
    const scene = await Scene.of(revision('shop', { function: { timeoutMs: 900_000 } }));
    scene.runtime.onStart = () => ({ takesMs: 0, never: true });
    const end = await scene.meanwhile(scene.send('shop'), START_LIMIT_MS + 10);
    assert.equal(end.error!.code, 'start-failed');
    assert.match(end.error!.message, /not ready 60s after its start/);
  });
});

describe('a function whose invocation times out', () => {
  it('ends the instance at once where it did nothing else', async () => {
    const scene = await Scene.of(revision('shop', { function: { timeoutMs: 200 } }));
    await scene.meanwhile(scene.send('shop'));
    const [instance] = scene.runtime.instances;
    instance!.hung = true;
    const hanging = scene.send('shop');
    await scene.pass(220);
    assert.equal(instance!.state, 'ended');
    assert.equal(instance!.killed!.code, 'timeout');
    const end = await hanging;
    assert.equal(end.outcome, 'timeout');
    assert.equal(end.error!.code, 'timeout');
    assert.match(scene.story.at(-1)!, /ended: an invocation timed out/);
  });

  it('with others beside it: retires the instance, which ends when they are done', async () => {
    const scene = await Scene.of(revision('shop', { function: { timeoutMs: 200, concurrency: 2 } }));
    await scene.meanwhile(scene.send('shop'));
    const slow = scene.send('shop', Number.POSITIVE_INFINITY);
    await scene.pass(100);
    const beside = scene.send('shop', 180);
    await scene.pass(120);
    assert.equal((await slow).outcome, 'timeout');
    assert.deepEqual(
      scene.status('shop').instances.map(({ state, inFlight }) => [state, inFlight]),
      [['draining', 1]],
    );
    assert.equal((await scene.meanwhile(scene.send('shop', 1))).outcome, 'ok', 'others go to a new one');
    assert.equal(scene.runtime.orders.length, 2);
    assert.equal((await scene.meanwhile(beside)).outcome, 'ok');
    await scene.pass(10);
    assert.equal(scene.runtime.instances[0]!.state, 'ended');
    assert.equal(scene.runtime.instances[0]!.killed, null);
  });

  it('with others beside it: kills an instance that answers no ping', async () => {
    const scene = await Scene.of(revision('shop', { function: { timeoutMs: 200, concurrency: 2 } }));
    await scene.meanwhile(scene.send('shop'));
    const [instance] = scene.runtime.instances;
    instance!.hung = true;
    const first = scene.send('shop');
    await scene.pass(150);
    const second = scene.send('shop');
    await scene.pass(50 + 10 + 50 + 1);
    assert.equal(instance!.state, 'ended');
    assert.equal((await first).outcome, 'timeout');
    assert.equal((await second).outcome, 'crashed');
  });

  it('ends it where the caller had left before, too', async () => {
    const scene = await Scene.of(revision('shop', { function: { timeoutMs: 200 } }));
    await scene.meanwhile(scene.send('shop'));
    const [instance] = scene.runtime.instances;
    instance!.hung = true;
    const caller = new AbortController();
    const hanging = scene.send('shop', 10, { signal: caller.signal });
    await scene.pass(50);
    caller.abort();
    await scene.pass(100);
    assert.equal(scene.status('shop').instances[0]!.inFlight, 1, 'it holds its slot until then');
    await scene.pass(70);
    assert.equal(instance!.killed!.code, 'timeout');
    assert.equal((await scene.meanwhile(hanging)).outcome, 'cancelled');
    assert.equal(scene.usage.at(-1)!.outcome, 'cancelled', 'which is what the caller saw');
    assert.equal((await scene.meanwhile(scene.send('shop', 1))).outcome, 'ok');
    assert.equal(scene.runtime.orders.length, 2);
  });

  it('ends it where the runtime saw the deadline before the dispatcher did', async () => {
    const scene = await Scene.of(revision('shop'));
    await scene.meanwhile(scene.send('shop'));
    const caller = new AbortController();
    const late = new FulcrumError('timeout', 'told by the test');
    const seed = {
      requestId: 'r',
      traceparent: '',
      trigger: 'route',
      deadlineMs: null,
      client: null,
      affinityKey: null,
    } as const;
    const end = await scene.dispatcher.run('shop', { ...seed, signal: caller.signal }, async () => {
      caller.abort();
      return { outcome: 'timeout', error: late, cpuMs: 0 };
    });
    assert.equal(end.outcome, 'cancelled');
    assert.equal(scene.runtime.instances[0]!.killed, late);
  });
});

describe('a function that is a command', () => {
  it('is retired where an invocation was given up: nobody knows what it still does', async () => {
    const scene = await Scene.of(revision('shop'));
    scene.runtime.engine = 'command';
    const caller = new AbortController();
    const given = scene.send('shop', 1_000, { signal: caller.signal });
    await scene.pass(50);
    caller.abort();
    assert.equal((await given).outcome, 'cancelled');
    assert.equal((await scene.meanwhile(scene.send('shop', 1))).outcome, 'ok');
    assert.deepEqual(
      scene.runtime.instances.map(({ served, stopReason }) => [served, stopReason]),
      [
        [1, 'an invocation was given up'],
        [1, null],
      ],
    );
  });

  it('is kept where the caller left before anything was begun, and where several share it', async () => {
    const scene = await Scene.of(revision('shop', { function: { maxInstances: 1 } }));
    scene.runtime.engine = 'command';
    await scene.meanwhile(scene.send('shop', 1));
    const slot = scene.scaler.take('shop', scene.context()) as Slot;
    const caller = new AbortController();
    const waiting = scene.send('shop', 1, { signal: caller.signal });
    slot.release(OK);
    caller.abort();
    await waiting;
    await scene.pass(1);
    assert.equal(scene.runtime.instances[0]!.state, 'ready');

    const shared = await Scene.of(revision('shop', { function: { concurrency: 2 } }));
    shared.runtime.engine = 'command';
    const left = new AbortController();
    const given = shared.send('shop', 1_000, { signal: left.signal });
    await shared.pass(50);
    left.abort();
    await given;
    await shared.pass(1);
    assert.equal(shared.runtime.instances[0]!.state, 'ready');
  });
});

describe('an invocation whose time is over during a shortage', () => {
  const cases = {
    'of processes': async (): Promise<Scene> => {
      const scene = await Scene.of(revision('shop', { function: { timeoutMs: 5_000 } }));
      scene.runtime.start = () => Promise.reject(Object.assign(new Error('spawn'), { code: 'EAGAIN' }));
      return scene;
    },
    'of room on the machine': async (): Promise<Scene> => {
      const other = revision('other', { function: { memoryBytes: 128, timeoutMs: 60_000 } });
      const shop = revision('shop', { function: { timeoutMs: 5_000 } });
      const scene = await Scene.within({ memoryBytes: 128 }, shop, other);
      void scene.send('other', 20_000);
      await scene.pass(100);
      return scene;
    },
  };
  for (const [name, make] of Object.entries(cases)) {
    it(`is refused with 503 and Retry-After, for nothing was begun: ${name}`, async () => {
      const scene = await make();
      const sentMs = scene.clock.monotonicMs();
      const { outcome, error } = await scene.meanwhile(scene.send('shop'));
      assert.ok(scene.clock.monotonicMs() - sentMs >= 5_000, 'it waits as long as it may');
      assert.deepEqual([outcome, error!.code, error!.status], ['refused', 'overloaded', 503]);
      assert.ok(error!.retryAfterS! >= 1);
      const record = scene.usage.find(({ component }) => component === 'shop')!;
      assert.deepEqual([record.outcome, record.status], ['refused', 503]);
    });
  }
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import { ServerEvents } from '../events/server-events.ts';
import { MemoryEventStore } from '../events/testing/memory-store.ts';
import { DEFAULT_EVENTS } from '../model/work-settings.ts';
import { MachineBudget } from '../scaling/machine-budget.ts';
import { FakeRuntime, type FakeInstance } from '../scaling/testing/fake-runtime.ts';
import { revision, revisions } from '../scaling/testing/scene.ts';
import { Turns } from '../scaling/turns.ts';
import type { LiveRelease } from './live-release.ts';
import type { Prepared } from './prepare.ts';
import { newTraceparent } from './traceparent.ts';
import { RunningApp, type RunningAppOptions } from './running-app.ts';

const MIN = 60_000;

/** An app whose instances are in memory, and of whose past nothing is known. */
function scene() {
  const clock = new FakeClock();
  const runtime = new FakeRuntime(clock);
  const memory = { availableBytes: 1, totalBytes: 1 };
  const app = new RunningApp({
    id: 'shop',
    schedules: {
      sync: () => Promise.resolve([]),
      list: () => Promise.resolve([]),
      tick: () => Promise.resolve({ tick: 'taken' }),
      rewind: () => Promise.resolve(),
    },
    serverEvents: new ServerEvents({
      store: new MemoryEventStore(),
      clock,
      logger: silentLogger,
      http: null,
      newTraceparent,
      random: () => 0.5,
    }),
    usage: {
      arrivals: async () => ({ items: [], next: null }),
      append: async () => undefined,
      prune: async () => undefined,
    } as unknown as RunningAppOptions['usage'],
    env: {},
    limits: {},
    machine: () => {
      throw new Error('nobody asks for it');
    },
    reports: new Turns(),
    engines: {
      openScope: () => ({ prepare: async () => undefined, close: async () => undefined }),
      runtimeFor: () => runtime,
    } as unknown as RunningAppOptions['engines'],
    budget: new MachineBudget({
      memoryBytes: 1e9,
      cpus: 4,
      clock,
      memory: () => memory,
      cpuUsedUp: () => false,
      fault: (error) => {
        throw error;
      },
    }),
    clock,
    logger: silentLogger,
    log: { write: () => undefined },
    checks: { tell: async () => [] } as unknown as RunningAppOptions['checks'],
  });
  const release = async (number: number, id: string): Promise<LiveRelease> => {
    const one = app.newRelease(number);
    const all = revisions(revision('cart', { id, function: { keepAlive: 'adaptive' } }));
    const components = new Map([...all].map(([name, { spec }]) => [name, spec]));
    await one.deploy({
      app: { components, gateway: {}, events: DEFAULT_EVENTS },
      env: new Map(),
      eventToken: null,
      revisions: all,
    } as unknown as Prepared);
    return one;
  };
  const send = async (to: LiveRelease): Promise<void> => {
    const who = { signal: null, deadlineMs: null, client: null, affinityKey: null };
    const seed = { requestId: 'r', traceparent: '', trigger: 'route', ...who } as const;
    const end = to.dispatcher.run('cart', seed, (slot, context) =>
      (slot.instance as FakeInstance).work(context),
    );
    await clock.advance(0);
    await clock.advance(100);
    assert.equal((await end).outcome, 'ok');
  };
  const living = (): string[] => [...runtime.live].map((one) => one.revision.id);
  return { app, clock, release, send, living };
}

describe('releases of one app beside each other', () => {
  it('have instances for work that is only expected in the one that serves, and not in its canary', async () => {
    const { app, clock, release, send, living } = scene();
    const first = await release(1, 'aaaaaaaaaaaa');
    app.serve(first);
    for (let i = 0; i < 11; i++) {
      await send(first);
      await clock.advance(30 * MIN);
    }
    await send(first);
    const canary = await release(2, 'bbbbbbbbbbbb');
    app.setCanary(canary);
    await clock.advance(30 * MIN);
    assert.deepEqual(living(), ['aaaaaaaaaaaa']);
    await send(first);
    app.serve(canary);
    await clock.advance(30 * MIN);
    assert.deepEqual(living(), ['bbbbbbbbbbbb'], 'after its promotion');
    app.restore(first, canary);
    await clock.advance(5 * MIN);
    await send(first);
    await clock.advance(30 * MIN);
    assert.deepEqual(living(), ['aaaaaaaaaaaa'], 'a promotion that could not be kept');
    const closed = app.close(0);
    await clock.advance(0);
    await clock.advance(100);
    await closed;
  });
});

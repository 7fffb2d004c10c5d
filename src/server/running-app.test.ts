import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import { ServerEvents } from '../events/server-events.ts';
import { order, subscription } from '../events/testing/scene.ts';
import { MemoryEventStore } from '../events/testing/memory-store.ts';
import type { Revision } from '../model/revision.ts';
import { DEFAULT_EVENTS } from '../model/work-settings.ts';
import { InstanceWatch } from '../scaling/instance-watch.ts';
import { MachineBudget } from '../scaling/machine-budget.ts';
import { FakeRuntime, type FakeInstance } from '../scaling/testing/fake-runtime.ts';
import { group, revision, revisions } from '../scaling/testing/scene.ts';
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
  const store = new MemoryEventStore();
  /** Whose past was read. */
  const asked: string[] = [];
  const serverEvents = new ServerEvents({
    store,
    clock,
    logger: silentLogger,
    http: null,
    newTraceparent,
    random: () => 0.5,
  });
  const app = new RunningApp({
    id: 'shop',
    schedules: {
      sync: () => Promise.resolve([]),
      list: () => Promise.resolve([]),
      tick: () => Promise.resolve({ tick: 'taken' }),
      rewind: () => Promise.resolve(),
    },
    serverEvents,
    releases: { list: async () => [] },
    usage: {
      arrivals: async ({ component }: { component: string }) => {
        asked.push(component);
        return { items: [], next: null };
      },
      append: async () => undefined,
      prune: async () => undefined,
    } as unknown as RunningAppOptions['usage'],
    instances: new InstanceWatch(clock),
    env: {},
    limits: {},
    machine: () => {
      throw new Error('nobody asks for it');
    },
    reports: new Turns(),
    engines: {
      openScope: () => ({
        prepare: async () => undefined,
        deployed: () => undefined,
        close: async () => undefined,
      }),
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
  const deployed = async (
    number: number,
    unit: Revision,
    one = app.newRelease(number),
  ): Promise<LiveRelease> => {
    const specs = unit.kind === 'group' ? unit.spec.members : [unit.spec];
    await one.deploy({
      app: {
        components: new Map(specs.map((spec) => [spec.name, spec])),
        groups: new Map(unit.kind === 'group' ? [[unit.spec.name, unit.spec]] : []),
        gateway: {},
        events: DEFAULT_EVENTS,
      },
      env: new Map(),
      eventToken: null,
      revisions: revisions(unit),
    } as unknown as Prepared);
    return one;
  };
  const release = (number: number, id: string): Promise<LiveRelease> =>
    deployed(number, revision('cart', { id, function: { keepAlive: 'adaptive' } }));
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
  return { app, asked, clock, runtime, store, serverEvents, deployed, release, send, living };
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

describe('a deploy', () => {
  it('is made once, and its instances know what there will be', async () => {
    const { app, clock, runtime, deployed } = scene();
    const named: (readonly string[])[] = [];
    runtime.onStart = ({ home }) => {
      named.push([...home.components()]);
      return { takesMs: 20 };
    };
    const members = ['cart', 'stock'].map((name) => revision(name, { mode: 'service' }));
    const release = app.newRelease(1);
    const deploys = mock.method(release.scaler, 'deploy');
    const live = deployed(1, group('core', members), release);
    for (let i = 0; i < 10; i++) await clock.advance(20);
    app.serve(await live);
    assert.deepEqual(named, [['cart', 'stock']]);
    assert.equal(deploys.mock.callCount(), 1);
    const closed = app.close(0);
    for (let i = 0; i < 10; i++) await clock.advance(20);
    await closed;
  });

  it('that joins a component with another has its habit forgotten: alone again, its usage tells it', async () => {
    const { app, clock, asked, deployed } = scene();
    const adaptive = { function: { keepAlive: 'adaptive' } } as const;
    const [cart, stock] = [revision('cart', adaptive), revision('stock', adaptive)];
    const inPlace = app.newRelease(null);
    const serve = async (unit: Revision): Promise<string[]> => {
      const live = deployed(1, unit, inPlace);
      for (let i = 0; i < 10; i++) await clock.advance(20);
      app.serve(await live);
      return [...new Set(asked.splice(0))];
    };
    assert.deepEqual(await serve(cart), ['cart']);
    assert.deepEqual(await serve(group('core', [cart, stock])), ['cart', 'stock']);
    assert.deepEqual(await serve(group('core', [cart, stock], { id: 'bbbbbbbbbbbb' })), []);
    assert.deepEqual(await serve(cart), ['cart']);
    const closed = app.close(0);
    for (let i = 0; i < 10; i++) await clock.advance(20);
    await closed;
  });
});

describe('members of a group', () => {
  it('get their own events, asynchronous invocations and ticks, on instances of the group', async () => {
    const { app, clock, runtime, store, serverEvents, deployed } = scene();
    const begun: string[] = [];
    runtime.onInvoke = async (instance, { kind }, context) => {
      begun.push(`${kind} of ${context.component} on ${instance.revision.spec.name}`);
      return { ...(await instance.work(context)), value: null, thrown: null };
    };
    const members = ['receipts', 'stock'].map((name) => {
      const one = revision(name, { function: { concurrency: 4 } });
      return { ...one, spec: { ...one.spec, subscription: subscription(['order.*'], { batchSize: 1 }) } };
    });
    app.serve(await deployed(1, group('core', members)));
    await serverEvents.begin({ isAlone: true, sharesStore: () => false });
    const pass = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) await clock.advance(10);
    };

    await app.events.publish('checkout', [order('order.paid')]);
    await pass();
    assert.deepEqual(begun.splice(0).toSorted(), ['queue of receipts on core', 'queue of stock on core']);

    const later = { component: 'stock', requestId: 'r_1' };
    await app.events.later({
      ...later,
      work: { kind: 'call', function: 'count', args: Buffer.from('[]') },
    });
    await pass();
    await app.events.later({
      ...later,
      work: { kind: 'scheduled', cron: '* * * * *', atMs: clock.nowMs() },
    });
    await pass();
    assert.deepEqual(begun, ['call of stock on core', 'scheduled of stock on core']);
    assert.deepEqual([store.rows, runtime.breaches], [[], []]);

    const closed = app.close(0);
    await pass();
    await closed;
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decide } from './decide.ts';
import type { Plan, ReplicaView, ScaleMemory, ServiceSnapshot } from './snapshot.ts';
import { PANIC_MS, replicasFor, ROUND_MS, STABLE_MS } from './decide-service.ts';
import { LoadWindow } from './load-window.ts';
import { freeOrdinals } from './ordinals.ts';
import { revision } from './testing/scene.ts';

const NEVER = { failures: 0, retryAtMs: Number.NEGATIVE_INFINITY, latest: 'revision' as const };
const FULL = process.env['FULCRUM_FULL'] === '1' ? 10 : 1;

function replica(id: string, o: Partial<ReplicaView> = {}): ReplicaView {
  return {
    id,
    state: 'ready',
    inFlight: 0,
    served: 1,
    idleSinceMs: 0,
    failing: null,
    ordinal: 0,
    ejected: false,
    ...o,
  };
}

type Changes = Partial<Omit<ServiceSnapshot, 'settings'>> & {
  settings?: Partial<ServiceSnapshot['settings']>;
};

function services(o: Changes): ServiceSnapshot {
  const settings = { ...revision('x').spec.service, ...o.settings };
  return {
    mode: 'service',
    queued: 0,
    instances: [],
    retry: NEVER,
    lost: [],
    scale: null,
    ...o,
    settings,
  };
}

interface Seen {
  readonly stable: number;
  readonly panic: number;
}

const NOTHING: Seen = { stable: 0, panic: 0 };

/** A snapshot of an autoscaled service at the moment of its round. */
function round(
  replicas: readonly ReplicaView[],
  {
    load = NOTHING,
    cores = NOTHING,
    cpus = 8,
    ...o
  }: Changes & { load?: Seen; cores?: Seen; cpus?: number; memory?: Partial<ScaleMemory> },
): ServiceSnapshot {
  const memory = { wanted: replicas.length, why: null, panicUntilMs: null, nextRoundMs: 0, ...o.memory };
  return services({
    ...o,
    settings: { minReplicas: 1, maxReplicas: 8, ...o.settings },
    instances: replicas,
    scale: { memory, observed: { load, cores }, cpus },
  });
}

const some = (many: number): ReplicaView[] =>
  Array.from({ length: many }, (_, ordinal) => replica(`r_${ordinal}`, { ordinal }));
const starting = (id: string, ordinal = 0): ReplicaView =>
  replica(id, { state: 'starting', ordinal, served: 0 });
const both = (value: number): Seen => ({ stable: value, panic: value });

describe('decide, a service with a fixed number of replicas', () => {
  it('starts what is missing, numbered', () => {
    const plan = decide(services({ settings: { minReplicas: 3, maxReplicas: 3 }, instances: some(1) }), 0);
    assert.deepEqual(plan.starts, ['replica 2 of 3', 'replica 3 of 3']);
  });

  it('names the lost one that a new one replaces, which has its place', () => {
    const lost = [
      { id: 'i_c', ordinal: 2, reason: 'SIGKILL' },
      { id: 'i_a', ordinal: 0, reason: 'exit code 1' },
    ];
    const settings = { minReplicas: 3, maxReplicas: 3 };
    const instances = [replica('i_b', { ordinal: 1 })];
    const plan = decide(services({ lost, settings, instances }), 0);
    assert.deepEqual(plan.starts, ['replaces i_a (exit code 1)', 'replaces i_c (SIGKILL)']);
    assert.deepEqual(freeOrdinals(instances, 2), [0, 2]);
    assert.deepEqual(plan.remember, { scale: null, lost: [] });
  });

  it('waits for the back-off', () => {
    const plan = decide(
      services({ retry: { failures: 1, retryAtMs: 100, latest: 'revision' as const } }),
      50,
    );
    assert.deepEqual([plan.starts.length, plan.wakeAtMs], [0, 100]);
    assert.equal(
      decide(services({ retry: { failures: 1, retryAtMs: 100, latest: 'revision' as const } }), 100).starts
        .length,
      1,
    );
  });

  it('never refuses, never ends a sound replica for idleness, and never wakes', () => {
    const plan = decide(services({ queued: 50, instances: some(1) }), 1e9);
    assert.deepEqual(plan, {
      starts: [],
      ends: [],
      refuse: 0,
      wakeAtMs: null,
      remember: { scale: null, lost: [] },
    });
  });

  it('replaces a failing replica, the new one first', () => {
    const ill = replica('ill', { failing: 'missed 3 health checks: no answer' });
    const begun = decide(services({ instances: [ill] }), 0);
    assert.deepEqual(begun.starts, ['replaces ill (missed 3 health checks: no answer)']);
    assert.deepEqual(begun.ends, []);
    assert.deepEqual(decide(services({ instances: [ill, starting('new')] }), 0).ends, []);
    assert.deepEqual(decide(services({ instances: [ill, replica('new')] }), 0).ends, [
      { id: 'ill', reason: 'missed 3 health checks: no answer' },
    ]);
  });

  it('ends what is too much once a failing one has recovered', () => {
    const plan = decide(services({ instances: [replica('recovered'), replica('new')] }), 0);
    assert.deepEqual(plan.ends, [{ id: 'recovered', reason: 'more than 1 replicas' }]);
  });
});

describe('decide, a service with a range of replicas', () => {
  it('does what the worked example says', () => {
    const calm = decide(
      round(some(2), { load: { stable: 40, panic: 65 }, cores: { stable: 0.3, panic: 0.5 } }),
      120_000,
    );
    assert.deepEqual(calm.starts, []);
    assert.deepEqual(calm.ends, [{ id: 'r_1', reason: 'load 40 of 140: 1 replica wanted' }]);
    assert.equal(calm.wakeAtMs, 122_000);
    const snapshot = round(some(2), { load: { stable: 40, panic: 300 }, cores: { stable: 0.3, panic: 0.5 } });
    const panic = decide(snapshot, 120_000);
    const why = 'load 300 of 140: 5 replicas wanted (panic)';
    assert.deepEqual(panic, {
      starts: [why, why, why],
      ends: [],
      refuse: 0,
      wakeAtMs: 122_000,
      remember: { scale: { wanted: 5, why, panicUntilMs: 180_000, nextRoundMs: 122_000 }, lost: [] },
    });
    assert.deepEqual(freeOrdinals(snapshot.instances, 3), [2, 3, 4]);
  });

  it('grows for the CPU where that wants more', () => {
    const { starts } = decide(round(some(2), { load: both(3), cores: both(1.6) }), 0);
    assert.deepEqual(starts, ['cpu 1.6 of 1.4 cores: 3 replicas wanted']);
  });

  it('wants no more for the CPU than there are processors, and goes back to as many', () => {
    const busy = (replicas: number, cpus: number): Plan =>
      decide(round(some(replicas), { load: both(3), cores: both(cpus), cpus }), 0);
    assert.deepEqual([busy(2, 2).starts, busy(2, 2).ends], [[], []]);
    assert.equal(busy(2, 1.5).starts.length, 0);
    assert.equal(busy(2, 3).starts.length, 1);
    assert.equal(busy(4, 2).ends.length, 2, 'two cannot keep more than two busy');
    const waiting = round(some(2), { load: both(300), cores: both(2), cpus: 2 });
    assert.equal(decide(waiting, 0).starts.length, 3, 'the load may want more');
  });

  it('is not told of the CPU where that wants no more than one, which is there anyway', () => {
    const { ends } = decide(round(some(2), { cores: both(0.003) }), 0);
    assert.deepEqual(
      ends.map(({ reason }) => reason),
      ['load 0 of 140: 0 replicas wanted, 1 for now'],
    );
  });

  it('ends nothing that the last seconds need, though the last minute did not', () => {
    assert.deepEqual(decide(round(some(2), { load: { stable: 40, panic: 140 } }), 0).ends, []);
  });

  it('takes what is exactly at the target for that, in spite of binary fractions', () => {
    assert.equal(replicasFor(63, { concurrency: 90, minReplicas: 1, maxReplicas: 9 }), 1);
  });

  it('halves at most', () => {
    const { ends, remember } = decide(round(some(7), {}), 0);
    assert.equal(ends.length, 3);
    assert.equal(ends[0]!.reason, 'load 0 of 490: 0 replicas wanted, 4 for now');
    assert.equal(remember!.scale!.wanted, 4);
  });

  it('lets the ejected and then the newest go', () => {
    const replicas = some(4).map((one) => ({ ...one, ejected: one.ordinal === 1 }));
    const { ends } = decide(round(replicas, { load: both(10) }), 0);
    assert.deepEqual(
      ends.map(({ id }) => id),
      ['r_1', 'r_3'],
    );
  });

  it('between rounds keeps to what the last one wanted, and replaces what is lost', () => {
    const memory = {
      wanted: 3,
      why: 'load 200 of 140: 3 replicas wanted',
      panicUntilMs: null,
      nextRoundMs: 2_000,
    };
    const snapshot = services({
      settings: { minReplicas: 1, maxReplicas: 8 },
      instances: [replica('r_0'), replica('r_2', { ordinal: 2 })],
      lost: [{ id: 'r_1', ordinal: 1, reason: 'exit code 1' }],
      scale: { memory, observed: null, cpus: 8 },
    });
    const plan = decide(snapshot, 1_000);
    assert.deepEqual(plan.starts, ['replaces r_1 (exit code 1)']);
    assert.equal(plan.remember!.scale, memory);
    assert.equal(plan.wakeAtMs, 2_000);
  });

  it('panics for a minute after what called for it, and says so only where it grew', () => {
    const memory = { wanted: 5, why: 'then', panicUntilMs: 60_000 };
    const during = decide(round(some(5), { memory }), 59_999);
    assert.deepEqual([during.ends, during.remember!.scale!.wanted], [[], 5]);
    assert.equal(decide(round(some(5), { memory }), 60_000).ends.length, 2);
  });
});

describe('decide, a service, whatever the snapshot', () => {
  const view = fc.record({
    state: fc.constantFrom<ReplicaView['state']>('starting', 'ready', 'ready', 'ready', 'draining', 'ending'),
    failing: fc.option(fc.constant('no answer'), { freq: 5, nil: null }),
    ordinal: fc.nat({ max: 12 }),
    ejected: fc.boolean(),
  });
  const level = fc.double({ min: 0, max: 2_000, noNaN: true });
  const windows = fc.record({ stable: level, panic: level });
  const range = fc.tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 0, max: 10 }));
  const snapshots = fc
    .record({
      views: fc.array(view, { maxLength: 12 }),
      range,
      concurrency: fc.integer({ min: 1, max: 100 }),
      load: windows,
      cores: windows,
      isRound: fc.boolean(),
      wanted: fc.nat({ max: 10 }),
      panicUntilMs: fc.option(fc.nat({ max: 200_000 })),
      retryAtMs: fc.constantFrom(Number.NEGATIVE_INFINITY, 150_000),
      nowMs: fc.nat({ max: 200_000 }),
    })
    .map(({ views, range: [min, more], wanted, isRound, load, cores, retryAtMs, nowMs, ...o }) => ({
      nowMs,
      snapshot: services({
        settings: { minReplicas: min, maxReplicas: min + more, concurrency: o.concurrency },
        instances: views.map((one, i) => replica(`r_${i}`, one)),
        retry: { failures: 0, retryAtMs, latest: 'revision' as const },
        scale:
          more === 0
            ? null
            : {
                memory: {
                  wanted: min + (wanted % (more + 1)),
                  why: null,
                  panicUntilMs: o.panicUntilMs,
                  nextRoundMs: isRound ? 0 : nowMs + 1,
                },
                observed: isRound ? { load, cores } : null,
                cpus: 3,
              },
      }),
    }));

  it('holds its bounds', () => {
    fc.assert(
      fc.property(snapshots, ({ snapshot, nowMs }) => {
        const { settings, instances } = snapshot;
        const plan = decide(snapshot, nowMs);
        assert.deepEqual(decide(structuredClone(snapshot), nowMs), plan, 'a pure function');
        const sound = instances.filter((one) => one.state === 'ready' && one.failing === null);
        const present = sound.length + instances.filter((one) => one.state === 'starting').length;
        const ended = new Set(plan.ends.map(({ id }) => id));
        const soundEnded = sound.filter(({ id }) => ended.has(id)).length;
        assert.equal(ended.size, plan.ends.length, 'nothing ends twice');
        assert.ok(plan.starts.length === 0 || present + plan.starts.length <= settings.maxReplicas, 'max');
        assert.ok(soundEnded === 0 || sound.length - soundEnded >= settings.minReplicas, 'min');
        assert.ok(soundEnded === 0 || plan.starts.length === 0, 'never both ways');
        assert.equal(plan.refuse, 0);
        if (nowMs >= snapshot.retry.retryAtMs) {
          assert.ok(present + plan.starts.length >= settings.minReplicas, 'what is lost is replaced');
        }
        const scale = plan.remember!.scale;
        if (scale === null) return;
        assert.ok(scale.wanted >= settings.minReplicas && scale.wanted <= settings.maxReplicas);
        if (scale.panicUntilMs !== null) {
          assert.equal(soundEnded, 0, 'nothing shrinks in panic');
          assert.ok(scale.wanted >= snapshot.scale!.memory.wanted, 'and the number only grows');
        }
        if (present <= settings.maxReplicas && snapshot.scale!.observed !== null) {
          assert.ok(soundEnded <= present / 2, 'at most halving in a round');
        }
        assert.ok(plan.wakeAtMs !== null && plan.wakeAtMs > nowMs, 'another round');
      }),
      { numRuns: 500 * FULL },
    );
  });
});

/** An autoscaled service in miniature: replicas that take `startMs` to start, a load that is told, and a round every two seconds. */
class Model {
  readonly #window = new LoadWindow(STABLE_MS, 0);
  readonly #settings: ServiceSnapshot['settings'];
  readonly #startMs: number;
  replicas: (ReplicaView & { readyAtMs: number })[] = [];
  memory: ScaleMemory;
  nowMs = 0;
  plans: Plan[] = [];

  constructor(settings: Partial<ServiceSnapshot['settings']>, startMs: number) {
    this.#settings = { ...revision('x').spec.service, ...settings };
    this.#startMs = startMs;
    const wanted = this.#settings.minReplicas;
    this.replicas = some(wanted).map((one) => ({ ...one, readyAtMs: 0 }));
    this.memory = { wanted, why: null, panicUntilMs: null, nextRoundMs: ROUND_MS };
  }

  /** Rounds until `untilMs` under `load`. */
  run(untilMs: number, load: number): void {
    this.#window.set(load, this.nowMs);
    while (this.memory.nextRoundMs <= untilMs) {
      this.nowMs = this.memory.nextRoundMs;
      this.replicas = this.replicas.map((one) =>
        one.state === 'starting' && one.readyAtMs <= this.nowMs ? { ...one, state: 'ready' } : one,
      );
      const averages = {
        stable: this.#window.average(STABLE_MS, this.nowMs),
        panic: this.#window.average(PANIC_MS, this.nowMs),
      };
      const before = this.replicas.length;
      const snapshot = services({
        settings: this.#settings,
        instances: this.replicas,
        scale: { memory: this.memory, observed: { load: averages, cores: NOTHING }, cpus: 8 },
      });
      const plan = decide(snapshot, this.nowMs);
      this.plans.push(plan);
      const wasPanic = this.memory.panicUntilMs !== null && this.memory.panicUntilMs > this.nowMs;
      this.memory = plan.remember!.scale!;
      const gone = new Set(plan.ends.map(({ id }) => id));
      const ordinals = freeOrdinals(this.replicas, plan.starts.length);
      this.replicas = this.replicas.filter(({ id }) => !gone.has(id));
      for (const ordinal of ordinals) {
        const id = `r_${this.nowMs}_${ordinal}`;
        this.replicas.push({ ...starting(id, ordinal), readyAtMs: this.nowMs + this.#startMs });
      }
      assert.ok(this.replicas.length >= Math.ceil(before / 2), 'at most halving');
      assert.ok(this.replicas.length <= this.#settings.maxReplicas, 'max');
      assert.ok(this.replicas.length >= this.#settings.minReplicas, 'min');
      if (wasPanic) assert.ok(this.replicas.length >= before, 'no shrinking in panic');
    }
    this.nowMs = untilMs;
  }
}

describe('an autoscaled service, under any load', () => {
  const phase = fc.record({
    forMs: fc.integer({ min: 0, max: 90_000 }),
    load: fc.integer({ min: 0, max: 900 }),
  });
  const shapes = fc.record({
    phases: fc.array(phase, { maxLength: 8 }),
    concurrency: fc.integer({ min: 1, max: 100 }),
    min: fc.integer({ min: 1, max: 5 }),
    more: fc.integer({ min: 1, max: 10 }),
    startMs: fc.integer({ min: 0, max: 10_000 }),
    last: fc.integer({ min: 0, max: 900 }),
  });

  it('settles where the load does, with what the rule says, and does not flap', () => {
    fc.assert(
      fc.property(shapes, ({ phases, concurrency, min, more, startMs, last }) => {
        const settings = { concurrency, minReplicas: min, maxReplicas: min + more };
        const model = new Model(settings, startMs);
        for (const { forMs, load } of phases) model.run(model.nowMs + forMs, load);
        // The stable window, a panic's, and a round for each halving.
        model.run(model.nowMs + 3 * STABLE_MS, last);
        assert.equal(model.replicas.length, replicasFor(last, settings));
        model.plans = [];
        model.run(model.nowMs + 5 * STABLE_MS, last);
        for (const { starts, ends } of model.plans) assert.deepEqual([starts, ends], [[], []]);
      }),
      { numRuns: 100 * FULL },
    );
  });

  it('without any load ends at its minimum', () => {
    const model = new Model({ minReplicas: 2, maxReplicas: 20, concurrency: 1 }, 1_000);
    model.run(120_000, 14);
    assert.equal(model.replicas.length, 20);
    model.run(300_000, 0);
    assert.deepEqual(
      model.replicas.map(({ ordinal }) => ordinal).sort((a, b) => a - b),
      [0, 1],
    );
  });
});

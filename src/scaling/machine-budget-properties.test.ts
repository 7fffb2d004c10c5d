/** Two apps on one machine, with everything that can happen to it at any moment: short and long starts, deploys, crashes, pressure. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { FulcrumError } from '../base/errors.ts';
import type { Mode } from '../model/app.ts';
import type { InvocationEnd } from '../model/invocation.ts';
import type { InvocationDispatcher } from './dispatcher.ts';
import type { Scaler } from './scaler.ts';
import { Scene, revision, revisions } from './testing/scene.ts';

const RUNS = { numRuns: process.env['FULCRUM_FULL'] === '1' ? 10_000 : 300 };
/** More than the fake runtime's instances hold: those that prove themselves are measured. */
const UNIT = 10_000_000;
/** Starts of the slowest, one after the other, for all that may be sent. */
const TIMEOUT_MS = 6_000_000;
/** Share-outs at one moment: a loop of microtasks would never let the test's own time go on. */
const MOST_LOOKS = 3_000;

const APPS = [
  ['a', 'b', 'c'],
  ['x', 'y'],
] as const;
type Name = (typeof APPS)[number][number];
const NAMES = APPS.flat();
const appOf = (name: Name): 0 | 1 => (name === 'x' || name === 'y' ? 1 : 0);

const mode = fc.constantFrom<Mode>('function', 'service');
const name = fc.constantFrom(...NAMES);
const parts = fc.array(
  fc.record({
    mode: fc.oneof({ weight: 2, arbitrary: fc.constant<Mode>('function') }, { weight: 1, arbitrary: mode }),
    units: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 3 }) },
      { weight: 1, arbitrary: fc.integer({ min: 4, max: 7 }) },
    ),
    most: fc.integer({ min: 1, max: 4 }),
  }),
  { minLength: 3, maxLength: 3 },
);
function sends(most: number, min: number, max: number) {
  return fc.record({
    kind: fc.constant('send' as const),
    name,
    count: fc.integer({ min: 1, max: most }),
    takesMs: fc.integer({ min, max }),
  });
}
const deploy = fc.record({
  kind: fc.constant('deploy' as const),
  app: fc.constantFrom(0, 1),
  id: fc.stringMatching(/^[0-9a-f]{12}$/),
  prove: fc.boolean(),
  parts,
  /** So many microtasks later two crash, one after the other. */
  crashAfter: fc.option(fc.nat({ max: 4 })),
});
const send = fc.oneof(
  { weight: 3, arbitrary: sends(12, 0, 60) },
  { weight: 1, arbitrary: sends(3, 1_000, 5_000) },
);
const step = fc.oneof(
  { weight: 10, arbitrary: send },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('mode' as const), name, mode }) },
  { weight: 3, arbitrary: deploy },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pressure' as const), is: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cpu' as const), is: fc.boolean() }) },
);
const gap = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1_000, max: 5_000 }) },
);
const shape = fc.record({
  units: fc.integer({ min: 4, max: 14 }),
  weights: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 5, maxLength: 5 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
  fresh: fc.boolean(),
  /** Of each component: some are slow. */
  startMs: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 0, max: 30 }) },
      { weight: 1, arbitrary: fc.integer({ min: 2_000, max: 8_000 }) },
    ),
    { minLength: 5, maxLength: 5 },
  ),
  keepAliveMs: fc.integer({ min: 0, max: 3_000 }),
  cpus: fc.constantFrom(0.34, 1, 2),
  first: fc.tuple(parts, parts),
});
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;
type Parts = typeof parts extends fc.Arbitrary<infer T> ? T : never;

/** What happens in one run, and what is known of it. */
class Machine {
  readonly scene: Scene;
  readonly scalers: readonly [Scaler, Scaler];
  readonly dispatchers: readonly [InvocationDispatcher, InvocationDispatcher];
  readonly changes: Promise<unknown>[] = [];
  readonly ends: Promise<InvocationEnd>[] = [];
  crashes = 0;
  readonly #shape: Shape;
  #looks = 0;
  #underWay = 0;

  constructor(o: Shape) {
    this.#shape = o;
    this.scene = new Scene({ memoryBytes: o.units * UNIT, cpus: o.cpus });
    this.scalers = [this.scene.scaler, this.scene.newScaler('blog')];
    this.dispatchers = [this.scene.dispatcher, this.scene.dispatcherOf(this.scalers[1])];
    // Not all of a component's become ready at the same moment.
    this.scene.runtime.onStart = ({ revision: { spec } }, nth) => ({
      takesMs: o.startMs[NAMES.indexOf(spec.name as Name)]! * (1 + (nth % 4) / 2),
    });
    this.scene.onCpuLook = () => assert.ok(++this.#looks < MOST_LOOKS, 'it looks again and again');
  }

  async pass(ms: number): Promise<void> {
    this.#looks = 0;
    await this.scene.pass(ms);
    assert.deepEqual(this.scene.faults, []);
    assert.ok(!this.scene.story.some((text) => text.startsWith('could not be scaled')));
    assert.ok(this.scene.budget!.status.promisedBytes >= this.scene.runtime.heldBytes);
  }

  /** In long steps, and no longer than anything here may take. */
  async settled<T>(all: readonly Promise<T>[]): Promise<T[]> {
    let done = false;
    const together = Promise.all(all).finally(() => (done = true));
    together.catch(() => undefined);
    await this.pass(0);
    for (let s = 0; !done && s < 900; s++) await this.pass(1_000);
    assert.ok(done, 'it takes for ever');
    return await together;
  }

  deploy(app: 0 | 1, id: string, own: Parts, prove = false): Promise<unknown> {
    const { weights, concurrency, fresh, keepAliveMs } = this.#shape;
    const all = APPS[app].map((one, i) => {
      const { mode: modeSetting, units, most } = own[i]!;
      const memoryBytes = units * UNIT;
      return revision(one, {
        ...{ id, mode: modeSetting, weight: weights[NAMES.indexOf(one)]! },
        function: { concurrency, fresh, keepAliveMs, memoryBytes, timeoutMs: TIMEOUT_MS },
        service: { concurrency, memoryBytes, minReplicas: 1, maxReplicas: most, timeoutMs: TIMEOUT_MS },
      });
    });
    return this.#change(this.scalers[app].deploy(revisions(...all), { prove }));
  }

  do(it: typeof step extends fc.Arbitrary<infer T> ? T : never): void {
    const { scene } = this;
    if (it.kind === 'pressure') scene.memory = { availableBytes: it.is ? 1 : 100, totalBytes: 3000 };
    else if (it.kind === 'cpu') scene.cpuUsedUp = it.is;
    else if (it.kind === 'crash') this.#crash();
    else if (it.kind === 'deploy') {
      void this.deploy(it.app, it.id, it.parts, it.prove);
      if (it.crashAfter !== null) void this.#crashAfter(it.crashAfter);
    } else {
      const scaler = this.scalers[appOf(it.name)];
      if (scaler.present(it.name) === null) return;
      if (it.kind === 'mode') void this.#change(scaler.setMode(it.name, it.mode));
      else
        for (let i = 0; i < it.count; i++)
          this.ends.push(scene.send(it.name, it.takesMs, {}, this.dispatchers[appOf(it.name)]));
    }
  }

  /** Whoever waits has an instance or one that starts, where there is room for all who wait. */
  assertNobodyIsHeldUp(): void {
    const { budget, memory } = this.scene;
    const { memoryBytes, promisedBytes, pressed } = budget!.status;
    // Room may be held together for a change that is under way.
    if (this.#underWay > 0) return;
    if (pressed || memory.availableBytes < memory.totalBytes / 10) return;
    const waits = this.scalers.flatMap((scaler) =>
      scaler.status().filter(({ queued, mode: is }) => queued > 0 && is === 'function'),
    );
    const bytes = (one: string): number => this.scalers[appOf(one as Name)].present(one)!.memoryBytes;
    if (waits.reduce((sum, one) => sum + bytes(one.name), 0) > memoryBytes - promisedBytes) return;
    for (const one of waits) assert.ok(one.instances.length > 0, `"${one.name}" waits for others' starts`);
  }

  async over(): Promise<void> {
    const { scene } = this;
    scene.memory = { availableBytes: 1, totalBytes: 1 };
    scene.cpuUsedUp = false;
    for (const { outcome, error } of await this.settled(this.ends))
      assert.ok(
        outcome === 'ok' || (outcome === 'crashed' && this.crashes > 0) || error?.code === 'machine-full',
        `${outcome}: ${error?.message}`,
      );
    await this.settled(this.changes);
    const { memoryBytes } = scene.budget!.status;
    assert.ok(scene.runtime.mostBytes <= memoryBytes, 'the machine is never promised twice');
    assert.deepEqual(scene.runtime.breaches, []);
    // Until services have shrunk to what nothing wants.
    await this.pass(150_000);
    const { promisedBytes, waiting, pressed } = scene.budget!.status;
    assert.equal(promisedBytes, scene.runtime.heldBytes, 'the ledger is right');
    assert.deepEqual({ waiting, pressed }, { waiting: 0, pressed: false });
    await this.settled(this.scalers.map((scaler) => scaler.close(1_000)));
    assert.deepEqual([scene.budget!.status.promisedBytes, scene.runtime.heldBytes], [0, 0]);
    assert.equal(scene.budget!.elasticBytes, memoryBytes);
    // The last deadline that nobody needs any more.
    await this.pass(TIMEOUT_MS);
    assert.equal(scene.clock.pending, 0, 'nothing ticks');
  }

  /** It may be refused for want of room, and fail only of what crashed. */
  #change(change: Promise<unknown>): Promise<unknown> {
    this.#underWay++;
    const told = change
      .finally(() => this.#underWay--)
      .catch((error: FulcrumError) => {
        const isCrash = error.code === 'start-failed' && this.crashes > 0;
        assert.ok(error.code === 'machine-full' || isCrash, error.message);
      });
    told.catch(() => undefined);
    this.changes.push(told);
    return told;
  }

  async #crashAfter(turns: number): Promise<void> {
    for (let i = 0; i < turns; i++) await Promise.resolve();
    this.#crash();
    await Promise.resolve();
    this.#crash();
  }

  #crash(): void {
    const [one] = this.scene.runtime.live;
    if (one === undefined) return;
    this.crashes++;
    one.crash();
  }
}

describe('whatever happens', () => {
  it('processes together never hold more than the budget, its ledger is right, and every invocation and change comes to its end', async () => {
    const steps = fc.array(fc.tuple(gap, step), { minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(steps, shape, async (all, o) => {
        const machine = new Machine(o);
        await machine.settled([machine.deploy(0, 'aaaaaaaaaaaa', o.first[0])]);
        await machine.settled([machine.deploy(1, 'aaaaaaaaaaaa', o.first[1])]);
        for (const [gapMs, it] of all) {
          await machine.pass(gapMs);
          machine.assertNobodyIsHeldUp();
          machine.do(it);
        }
        await machine.over();
      }),
      RUNS,
    );
  });
});

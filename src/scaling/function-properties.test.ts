import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decide } from './decide.ts';
import type { FunctionSnapshot, InstanceView } from './snapshot.ts';
import { revision, revisions, Scene } from './testing/scene.ts';

const MIN = 60_000;
const FULL = process.env['FULCRUM_FULL'] === '1' ? 10 : 1;
const NOW_MS = 10_000;

const instance = fc.record({
  state: fc.constantFrom<InstanceView['state']>('starting', 'ready', 'draining', 'ending'),
  inFlight: fc.nat({ max: 3 }),
  served: fc.nat({ max: 2 }),
  idleSinceMs: fc.integer({ min: 0, max: NOW_MS }),
});

const snapshots: fc.Arbitrary<FunctionSnapshot> = fc
  .record({
    queued: fc.nat({ max: 30 }),
    instances: fc.array(instance, { maxLength: 12 }),
    startsAtOnce: fc.integer({ min: 1, max: 12 }),
    warm: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 8 })),
    retry: fc.oneof(
      fc.constant({ failures: 0, retryAtMs: Number.NEGATIVE_INFINITY, latest: 'revision' as const }),
      fc.record({
        failures: fc.integer({ min: 1, max: 5 }),
        retryAtMs: fc.integer({ min: 0, max: 2 * NOW_MS }),
        latest: fc.constantFrom('revision', 'shortage'),
      }),
    ),
    settings: fc.record({
      concurrency: fc.integer({ min: 1, max: 4 }),
      fresh: fc.boolean(),
      maxInstances: fc.integer({ min: 1, max: 12 }),
      keepAliveMs: fc.nat({ max: NOW_MS }),
    }),
    habit: fc.option(
      fc.record({
        idleSinceMs: fc.option(fc.nat({ max: NOW_MS })),
        prewarmed: fc.boolean(),
        prewarmAfterMs: fc.nat({ max: NOW_MS }),
        keepMs: fc.integer({ min: 1, max: 2 * NOW_MS }),
      }),
    ),
  })
  .map(({ settings, instances, ...o }) => ({
    ...o,
    mode: 'function',
    settings: { ...revision('x').spec.function, ...settings },
    instances: instances.map(({ state, inFlight, served, ...one }, i) => ({
      ...one,
      // They are warmed up before anything comes to them.
      served: o.warm > 0 ? 0 : served,
      state,
      id: `i_${i}`,
      inFlight: state === 'starting' ? 0 : inFlight,
      failing: null,
    })),
  }));

describe('whatever a function looks like, a decision', () => {
  it('starts no more than waits, ends only what is idle, and adds nothing when it is asked again', () => {
    fc.assert(
      fc.property(snapshots, (snapshot) => {
        const { queued, instances, settings, habit, warm, retry } = snapshot;
        const plan = decide(snapshot, NOW_MS);
        const starting = instances.filter(({ state }) => state === 'starting').length;
        const ready = instances.filter(({ state }) => state === 'ready').length;
        const backsOff = NOW_MS < retry.retryAtMs;
        const working = instances.reduce((sum, { inFlight }) => sum + inFlight, 0);
        if (plan.prewarms) {
          assert.equal(plan.starts.length, 1);
          assert.equal(queued + starting, 0, 'pre-warmed where nothing waits');
          assert.equal(warm + retry.failures, 0, 'nor where an instance is to be there, or did not start');
          assert.ok(habit!.idleSinceMs! + habit!.prewarmAfterMs <= NOW_MS);
          assert.ok(NOW_MS < habit!.idleSinceMs! + habit!.keepMs, 'nor when its time has passed');
        } else if (plan.starts.length > 0) {
          assert.ok(starting + plan.starts.length <= Math.max(queued + working, warm - ready));
          assert.ok(!backsOff, 'not before the next try is due');
          assert.ok(retry.failures === 0 || starting + plan.starts.length === 1, 'a probe alone');
        }
        if (queued === 0 && plan.ends.every(({ reason }) => !reason.startsWith('fresh')))
          assert.ok(plan.ends.length === 0 || ready - plan.ends.length >= warm, 'what is to be there stays');
        assert.ok(plan.starts.length === 0 || instances.length + plan.starts.length <= settings.maxInstances);
        assert.ok(plan.starts.length <= Math.max(0, snapshot.startsAtOnce - starting));
        for (const { id, reason, withZygote } of plan.ends) {
          const one = instances.find((it) => it.id === id)!;
          assert.deepEqual([one.state, one.inFlight], ['ready', 0]);
          if (reason === 'keep-alive passed')
            assert.ok(
              one.idleSinceMs + settings.keepAliveMs <= NOW_MS,
              'not before its keep-alive has passed',
            );
          else assert.ok(settings.fresh || (habit !== null && withZygote));
          if (reason.startsWith('adaptive') && habit!.idleSinceMs !== null)
            assert.ok(habit!.idleSinceMs + habit!.keepMs <= NOW_MS, 'not before its habit says so');
        }
        // Only a broken revision is no reason to wait: what the machine lacks now it will have, and a ready one comes to who waits.
        assert.ok(
          plan.refuse === 0 || (backsOff && retry.latest === 'revision' && (settings.fresh || ready === 0)),
        );
        assert.ok(plan.refuse <= queued);
        if (backsOff && queued > starting * settings.concurrency && plan.refuse === 0)
          assert.ok(plan.wakeAtMs !== null && plan.wakeAtMs <= retry.retryAtMs, 'it is tried again');
        assert.ok(plan.wakeAtMs === null || plan.wakeAtMs > NOW_MS, 'a loop that wakes for nothing');

        const carriedOut: FunctionSnapshot = {
          ...snapshot,
          habit: habit && { ...habit, prewarmed: habit.prewarmed || plan.prewarms === true },
          instances: [
            ...instances.map((one) =>
              plan.ends.some(({ id }) => id === one.id) ? { ...one, state: 'ending' as const } : one,
            ),
            ...plan.starts.map((_, i) => ({
              id: `new_${i}`,
              state: 'starting' as const,
              inFlight: 0,
              served: 0,
              idleSinceMs: 0,
              failing: null,
            })),
          ],
        };
        const again = decide(carriedOut, NOW_MS);
        assert.deepEqual([again.starts, again.ends], [[], []]);
      }),
      { numRuns: 1_000 * FULL },
    );
  });
});

describe('under any arrivals, a function with an adaptive keep-alive', () => {
  const arrival = fc.record({
    gapMin: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 90 })),
    together: fc.integer({ min: 1, max: 4 }),
    takesMs: fc.integer({ min: 0, max: 50 }),
  });
  /** Minutes from one use to the next before the server began. */
  const before = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 20 });

  it('answers all, keeps one at most for what may come, and none for ever', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arrival, { minLength: 1, maxLength: 12 }), before, async (all, gapsMin) => {
        const scene = new Scene();
        let agoMs = 0;
        const past = gapsMin.map((gap) => ({
          arrivedAtMs: scene.clock.nowMs() - (agoMs += gap * MIN),
          durationMs: 5,
        }));
        scene.past.set('shop', past.reverse());
        const shop = revision('shop', { function: { keepAlive: 'adaptive' } });
        await scene.meanwhile(scene.scaler.deploy(revisions(shop)));
        let sent = 0;
        // The one before the first, and the one after the last.
        let idle = 2;
        for (const { gapMin, together, takesMs } of all) {
          if (gapMin > 0) {
            idle++;
            await scene.pass(2_000);
            assert.ok(scene.runtime.live.size <= 1, 'two seconds after the last use');
            await scene.pass(gapMin * MIN);
            assert.ok(scene.runtime.live.size <= 1);
          }
          sent += together;
          const ends = await scene.meanwhile(
            Promise.all(Array.from({ length: together }, () => scene.send('shop', takesMs))),
          );
          assert.ok(ends.every(({ outcome }) => outcome === 'ok'));
        }
        await scene.pass(241 * 1.1 * MIN);
        nothingLives(scene);
        const prewarmed = scene.story.filter((text) => text.includes('starts: pre-warmed')).length;
        assert.ok(prewarmed <= idle, 'one for a time of idleness at most');
        assert.ok(scene.runtime.orders.length - prewarmed <= sent);
        assert.deepEqual(scene.runtime.breaches, []);
      }),
      { numRuns: 20 * FULL },
    );
  });
});

function nothingLives(scene: Scene): void {
  assert.equal(scene.runtime.live.size, 0, 'no instance lives');
  assert.equal(scene.runtime.starting, 0, 'none starts');
}

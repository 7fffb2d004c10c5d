import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FunctionModel, MinuteTraffic, ServiceModel } from '../../model/simulation.ts';
import { EPOCH_MS, functionModel, serviceModel } from '../testing/traffic.ts';
import { fluidObstacle } from './fluid-obstacle.ts';
import { minuteArrivals } from './minute-arrivals.ts';
import { simulateFluid, simulateMinutes } from './simulate-minutes.ts';
import { simulate } from './simulate.ts';

/** Rates that go up and down by a half over four hours, with durations distributed exponentially. */
function waves(perMinute: number, minutes: number, meanMs: number, cpuShare: number): MinuteTraffic {
  return {
    component: 'orders',
    fromMs: EPOCH_MS,
    invocations: Float64Array.from({ length: minutes }, (_, i) =>
      Math.round(perMinute * (1 + 0.5 * Math.sin((i / 240) * 2 * Math.PI))),
    ),
    duration: {
      quantilesMs: Array.from({ length: 101 }, (_, i) => -Math.log(1 - Math.min(i / 100, 0.997)) * meanMs),
    },
    cpuShare,
  };
}

/** What is billed, and how long instances live, are within 1 % of the mean of some replays'. */
function assertAgree(traffic: MinuteTraffic, model: FunctionModel | ServiceModel, runs: number): void {
  assert.equal(fluidObstacle(traffic, model), null);
  const fluid = simulateFluid(traffic, model, 1).used;
  let [wholeMs, livedMs] = [0, 0];
  for (let seed = 1; seed <= runs; seed++) {
    const { used } = simulate(minuteArrivals(traffic, seed), model, seed);
    assert.equal(used.executed, fluid.executed);
    wholeMs += used.wholeMs / runs;
    livedMs += used.instances.livedMs / runs;
  }
  const near = (what: string, found: number, expected: number): void =>
    assert.ok(Math.abs(found / expected - 1) < 0.01, `${what}: ${found} instead of ${expected}`);
  near('billed', fluid.wholeMs, wholeMs);
  near('lived', fluid.instances.livedMs, livedMs);
}

test('a fluid of minutes agrees with the replay of a function within 1 %', () => {
  const cases = fc.record({
    perMinute: fc.integer({ min: 40, max: 300 }),
    meanMs: fc.integer({ min: 20, max: 500 }),
    keepAliveMs: fc.constantFrom(40_000, 60_000, 120_000),
    startMs: fc.integer({ min: 20, max: 1_000 }),
    concurrency: fc.constantFrom(1, 1, 4),
    provisioned: fc.constantFrom(0, 0, 2),
  });
  fc.assert(
    fc.property(cases, ({ perMinute, meanMs, keepAliveMs, startMs, concurrency, provisioned }) => {
      const model = functionModel(
        { keepAliveMs, concurrency },
        { coldStart: { quantilesMs: [startMs, startMs * 2] }, provisioned },
      );
      assertAgree(waves(perMinute, 960, meanMs, 0.1), model, 6);
    }),
    { numRuns: 5, seed: 9 },
  );
  // The longer instances are kept, the fewer things a replay's figure hangs on: a single one is off by 1.5 % here.
  assertAgree(waves(100, 960, 20, 0.1), functionModel(), 20);
});

test('and with that of a service', () => {
  const cases = fc.record({
    perSecond: fc.integer({ min: 100, max: 200 }),
    meanMs: fc.integer({ min: 300, max: 800 }),
    concurrency: fc.constantFrom(10, 20, 50),
  });
  fc.assert(
    fc.property(cases, ({ perSecond, meanMs, concurrency }) => {
      const model = serviceModel({ concurrency, minReplicas: 1, maxReplicas: 100 });
      assertAgree(waves(perSecond * 60, 180, meanMs, 0.005), model, 1);
    }),
    { numRuns: 2, seed: 3 },
  );
  assertAgree(waves(1_000, 240, 300, 0.01), serviceModel({ minReplicas: 3, maxReplicas: 3 }), 1);
});

test('few are replayed one by one, many are not', () => {
  const model = functionModel();
  assert.equal(simulateMinutes(waves(100, 60, 50, 0), model, 1).by, 'events');
  const { by, obstacle, simulated } = simulateMinutes(waves(60_000, 120, 50, 0), model, 1);
  assert.deepEqual([by, obstacle, simulated.used.executed], ['fluid', null, 9_491_704]);
});

test('where minutes cannot stand for invocations it is said why', () => {
  const traffic = waves(6_000, 60, 100, 0.01);
  const why = (model: FunctionModel | ServiceModel): string | null => fluidObstacle(traffic, model);
  assert.equal(why(functionModel()), null);
  assert.equal(why(functionModel({ fresh: true })), 'a new instance for every invocation');
  assert.match(why(functionModel({ keepAliveMs: 1_000 }))!, /a keep-alive of less than 50 mean durations/);
  assert.match(why(functionModel({}, { coldStart: { quantilesMs: [40_000] } }))!, /less than 20 starts/);
  assert.match(why(functionModel({ maxInstances: 20 }))!, /comes near the most instances/);
  assert.match(why(functionModel({ timeoutMs: 300 }))!, /beyond the timeout/);
  assert.match(why(functionModel({}, { startsAtOnce: 2 }))!, /few starts/);
  assert.match(why(serviceModel({ concurrency: 10 }))!, /near what all replicas hold/);
  assert.match(why(serviceModel({ maxReplicas: 9 }))!, /fewer than 20 in flight/);
  assert.match(fluidObstacle(waves(6_000, 60, 100, 0.9), serviceModel())!, /want of processors/);
  assert.match(fluidObstacle(waves(20, 60, 100, 0.9), functionModel())!, /fewer than 30 invocations/);
});

test('what cannot be simulated is told', () => {
  const traffic = waves(10, 10, 50, 0);
  const told = (change: Partial<MinuteTraffic>, text: RegExp): void =>
    assert.throws(() => simulateMinutes({ ...traffic, ...change }, functionModel(), 1), text);
  told({ fromMs: 1 }, /must begin with a minute of the clock, and begins at 1 ms/);
  told({ invocations: [3, 1.5] }, /the number of minute 1 must be whole and 0 or more, and is 1\.5/);
  told({ duration: { quantilesMs: [5, 4] } }, /quantile 1 of its durations must be 5 ms or more, and is 4/);
  told({ cpuShare: 2 }, /its share of CPU time must be 0 to 1, and is 2/);
});

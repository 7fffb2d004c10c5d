import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ServiceModel, Traffic } from '../../model/simulation.ts';
import { simulate } from '../simulator/simulate.ts';
import { EPOCH_MS, serviceModel } from '../testing/traffic.ts';
import { leastReplicasDo } from './least-replicas.ts';

const SPAN_MS = 10 * 60_000;

function trafficOf(all: readonly { atMs: number; durationMs: number; cpuShare: number }[]): Traffic {
  const sorted = all.toSorted((a, b) => a.atMs - b.atMs);
  return {
    component: 'orders',
    fromMs: EPOCH_MS,
    toMs: EPOCH_MS + SPAN_MS,
    arrivedAtMs: Float64Array.from(sorted, ({ atMs }) => EPOCH_MS + atMs),
    durationMs: Float32Array.from(sorted, ({ durationMs }) => durationMs),
    cpuMs: Float32Array.from(sorted, ({ durationMs, cpuShare }) => durationMs * cpuShare),
  };
}

function model(minReplicas: number, maxReplicas: number, concurrency: number): ServiceModel {
  const plain = serviceModel();
  return { ...plain, settings: { ...plain.settings, minReplicas, maxReplicas, concurrency } };
}

test('where the least replicas do, the autoscaler changes nothing', () => {
  let seen = 0;
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          // Now and then many at once.
          atMs: fc.oneof(fc.integer({ min: 0, max: SPAN_MS - 1 }), fc.integer({ min: 0, max: 5_000 })),
          durationMs: fc.integer({ min: 1, max: 5_000 }),
          cpuShare: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        { maxLength: 120 },
      ),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(4, 20, 100),
      (all, minReplicas, concurrency) => {
        const traffic = trafficOf(all);
        const scaled = model(minReplicas, minReplicas + 5, concurrency);
        if (!leastReplicasDo(traffic, scaled)) return;
        if (all.length > 0) seen++;
        const fixed = model(minReplicas, minReplicas, concurrency);
        assert.deepEqual(simulate(traffic, fixed, 1).used, simulate(traffic, scaled, 1).used);
      },
    ),
    { seed: 5, numRuns: 300 },
  );
  assert.ok(seen > 100, `${seen} were worth a look`);
});

test('a load that another replica is wanted for is not taken for one', () => {
  const second = (count: number, durationMs: number, cpuShare: number): Traffic =>
    trafficOf(Array.from({ length: count }, (_, i) => ({ atMs: 60_000 + i, durationMs, cpuShare })));
  assert.ok(leastReplicasDo(second(10, 100, 0.5), model(1, 4, 100)));
  assert.ok(!leastReplicasDo(second(80, 100, 0), model(1, 4, 100)), 'too many in flight');
  assert.ok(!leastReplicasDo(second(30, 100, 1), model(1, 4, 100)), 'too much CPU time');
  assert.ok(leastReplicasDo(second(30, 100, 1), model(2, 4, 100)));
});

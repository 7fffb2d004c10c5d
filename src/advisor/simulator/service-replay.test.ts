import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EPOCH_MS, poisson, serviceModel, trafficOf } from '../testing/traffic.ts';
import { simulate } from './simulate.ts';

const SECOND = 1_000;

test('a fixed number of replicas lives all the time, and work waits for room, first come, first served', () => {
  const traffic = trafficOf(
    [
      [0, 100],
      [10, 100],
      [20, 100],
    ],
    60_000,
  );
  const model = serviceModel({ concurrency: 1, minReplicas: 2, maxReplicas: 2 });
  const { used, latencyQuantilesMs, waited, waitedMs, coldStarts } = simulate(traffic, model, 1);
  assert.equal(used.instances.livedMs, 120_000);
  assert.equal(used.instances.started, 2);
  assert.deepEqual([waited, waitedMs, coldStarts], [1, 80, 0]);
  assert.equal(latencyQuantilesMs[100], 180);
});

test('a replica whose processor is wanted by two gives each half of it', () => {
  // From 0 alone, from 50 the two of them: the first has 50 left, which takes 100; then the second has 50 left, alone.
  const traffic = trafficOf(
    [
      [0, 100],
      [50, 100],
    ],
    1_000,
    1,
  );
  assert.deepEqual(ends(traffic, 1), [150, 150]);
  assert.deepEqual(ends(traffic, 2), [100, 100]);
});

function ends(traffic: ReturnType<typeof trafficOf>, cpus: number): [number, number] {
  const { latencyQuantilesMs } = simulate(traffic, serviceModel({}, { cpus }), 1);
  return [latencyQuantilesMs[0]!, latencyQuantilesMs[100]!];
}

test('what only waits is held up by nobody', () => {
  const traffic = trafficOf(
    Array.from({ length: 50 }, (_, i) => [i, 200] as const),
    10_000,
    0,
  );
  assert.deepEqual(ends(traffic, 1), [200, 200]);
});

test('the autoscaler grows in panic within 2 s of the load, each replica after its start, and shrinks by at most half a round', () => {
  // 100 at a time for half a minute, on replicas for 10 at a time: 100 / 7 wants 15.
  const arrivals = Array.from({ length: 3_000 }, (_, i) => [70 * SECOND + i * 10, 1_000] as const);
  const traffic = trafficOf(arrivals, 400 * SECOND);
  const model = serviceModel(
    { concurrency: 10, minReplicas: 1, maxReplicas: 40 },
    { start: { quantilesMs: [1_000] } },
  );
  const { used, minutes, waited } = simulate(traffic, model, 1);
  assert.equal(used.executed, 3_000);
  assert.ok(waited > 100, 'who came before there were more replicas has waited');
  const living = minutes.map((minute) => minute.living);
  assert.ok(living[1]! > 5 && living[1]! < 40, String(living[1]));
  assert.equal(living[0], 1);
  assert.equal(living.at(-1), 1, 'five minutes after the load there is one again');
  assert.ok(used.instances.started >= 15, String(used.instances.started));
});

test('rounds that are left out in a rest change nothing', () => {
  // The same burst after a rest of 3 min and of 3 h; only the second is long enough to be skipped through for most of it.
  const burst = (atMs: number): (readonly [number, number])[] =>
    Array.from({ length: 400 }, (_, i) => [atMs + i * 5, 300] as const);
  const model = serviceModel({ concurrency: 5, minReplicas: 1, maxReplicas: 30 });
  const after = (restMs: number): unknown => {
    const traffic = trafficOf([...burst(0), ...burst(restMs)], restMs + 200_000, 0.3);
    const { used, waited, waitedMs, latencyQuantilesMs } = simulate(traffic, model, 1);
    const livedMs = Math.round(used.instances.livedMs - restMs);
    const quantilesMs = latencyQuantilesMs.map(Math.round);
    return { started: used.instances.started, waited, waitedMs: Math.round(waitedMs), livedMs, quantilesMs };
  };
  assert.deepEqual(after(10_800_000), after(360_000));
});

test('everything that came is executed or refused, within the bounds of its settings', () => {
  const settings = fc.record({
    concurrency: fc.integer({ min: 1, max: 20 }),
    minReplicas: fc.integer({ min: 1, max: 3 }),
    maxReplicas: fc.integer({ min: 3, max: 10 }),
    maxQueued: fc.constantFrom(0, 5, 1_000),
    timeoutMs: fc.constantFrom(200, 60_000),
  });
  const come = fc.record({
    count: fc.integer({ min: 1, max: 300 }),
    pauseMs: fc.constantFrom(5, 100, 3_000),
    durationMs: fc.constantFrom(1, 80, 500),
    cpuShare: fc.constantFrom(0, 0.4, 1),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(settings, come, (settings, come) => {
      const traffic = poisson(come);
      const { used, refused, minutes, latencyQuantilesMs } = simulate(traffic, serviceModel(settings), 1);
      assert.equal(used.executed + refused, come.count);
      const spanMs = traffic.toMs - EPOCH_MS;
      assert.ok(used.instances.livedMs >= settings.minReplicas * spanMs - 1e-6);
      assert.ok(used.instances.livedMs <= settings.maxReplicas * spanMs * 1.5 + 1e-6);
      assert.ok(minutes.every(({ living, busy }) => busy <= living + 1e-9));
      assert.ok((latencyQuantilesMs[100] ?? 0) <= settings.timeoutMs + 1e-6);
      const cpuMs = used.load.reduce((sum, minute) => sum + minute.cpuMs, 0);
      assert.ok(cpuMs <= used.cpuMs + 1e-6);
    }),
    { numRuns: 200 },
  );
});

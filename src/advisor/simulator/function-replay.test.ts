import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Simulated } from '../../model/simulation.ts';
import { Random } from '../random.ts';
import { askingReplay, type Asked } from '../testing/asking-replay.ts';
import { functionModel, poisson, trafficOf } from '../testing/traffic.ts';
import { simulate } from './simulate.ts';

function counted({ used, coldStarts, refused }: Simulated): Asked {
  return {
    executed: used.executed,
    refused,
    cold: coldStarts,
    wholeMs: used.wholeMs,
    startMs: used.startMs,
    livedMs: used.instances.livedMs,
    started: used.instances.started,
    busiest: Math.max(0, ...used.load.map(({ busiest }) => busiest ?? 0)),
  };
}

/** Sums of times that were added in another order. */
function rounded(asked: Asked): Asked {
  const to = (ms: number): number => Number(ms.toFixed(3));
  return { ...asked, startMs: to(asked.startMs), livedMs: to(asked.livedMs) };
}

test('it does what the scaler would be told by decide, whatever comes', () => {
  const settings = fc.record({
    concurrency: fc.integer({ min: 1, max: 4 }),
    keepAliveMs: fc.constantFrom(0, 50, 1_000, 20_000),
    maxInstances: fc.integer({ min: 1, max: 12 }),
    maxQueued: fc.constantFrom(0, 1, 5, 100),
    timeoutMs: fc.constantFrom(150, 700, 60_000),
    fresh: fc.boolean(),
  });
  const model = fc.record({
    coldStart: fc.constantFrom({ quantilesMs: [80] }, { quantilesMs: [10, 40, 900] }),
    provisioned: fc.constantFrom(0, 0, 1, 3),
    startsAtOnce: fc.constantFrom(1, 2, Infinity),
  });
  const come = fc.record({
    count: fc.integer({ min: 0, max: 150 }),
    pauseMs: fc.constantFrom(5, 50, 400, 5_000),
    durationMs: fc.constantFrom(1, 60, 400),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(settings, model, come, (settings, model, come) => {
      const whole = functionModel(settings, model);
      const traffic = poisson({ ...come, count: come.count });
      const replayed = { ...traffic, toMs: traffic.toMs + 3_000 };
      assert.deepEqual(
        rounded(counted(simulate(replayed, whole, come.seed))),
        rounded(askingReplay(replayed, whole, come.seed)),
      );
    }),
    { numRuns: 400 },
  );
});

test('an adaptive keep-alive decides as the scaler with its habit does', () => {
  const settings = fc.record({
    concurrency: fc.integer({ min: 1, max: 3 }),
    keepAliveMs: fc.constantFrom(0, 1_000, 90_000, 600_000),
    maxInstances: fc.integer({ min: 1, max: 5 }),
    maxQueued: fc.constantFrom(0, 1, 100),
    timeoutMs: fc.constantFrom(20_000, 900_000),
    fresh: fc.constantFrom(false, false, true),
  });
  const model = fc.record({
    coldStart: fc.constantFrom({ quantilesMs: [80] }, { quantilesMs: [10, 40, 90_000] }),
    provisioned: fc.constantFrom(0, 0, 1, 2),
    startsAtOnce: fc.constantFrom(1, Infinity),
  });
  // Uses at about the same distance, several at a time, now and then a while without any.
  const uses = fc.record({
    everyMs: fc.constantFrom(40_000, 200_000, 1_800_000),
    wavering: fc.constantFrom(0, 0.02, 0.5),
    each: fc.integer({ min: 1, max: 4 }),
    durationMs: fc.constantFrom(100, 30_000),
    rest: fc.constantFrom(0, 20_000_000),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(settings, model, uses, (settings, model, o) => {
      const random = new Random(o.seed, 'uses');
      const pairs: [number, number][] = [];
      let atMs = 0;
      for (let i = 0; i < 60; i++) {
        atMs += Math.round(o.everyMs * (1 + (random.next() - 0.5) * o.wavering)) + (i === 40 ? o.rest : 0);
        for (let j = 0; j < o.each; j++) pairs.push([atMs + j * 37, o.durationMs * (0.5 + random.next())]);
      }
      const traffic = trafficOf(
        pairs.toSorted(([a], [b]) => a - b),
        atMs + 8_000_000,
      );
      const whole = functionModel({ ...settings, keepAlive: 'adaptive' }, model);
      assert.deepEqual(
        rounded(counted(simulate(traffic, whole, o.seed))),
        rounded(askingReplay(traffic, whole, o.seed)),
      );
    }),
    { numRuns: 300 },
  );
});

test('with an adaptive keep-alive, regular use is served warm though little is held', () => {
  const traffic = trafficOf(
    Array.from({ length: 40 }, (_, i) => [i * 1_800_000, 500] as const),
    40 * 1_800_000,
  );
  const fixed = simulate(traffic, functionModel({ keepAliveMs: 1_000 }), 1);
  const adaptive = simulate(traffic, functionModel({ keepAliveMs: 1_000, keepAlive: 'adaptive' }), 1);
  assert.equal(fixed.coldStarts, 40);
  // Six until five idle times are known.
  assert.equal(adaptive.coldStarts, 6);
  // From 27 min after each on: a tenth of the time, where always there would be all of it.
  assert.ok(adaptive.used.instances.livedMs < 0.15 * 40 * 1_800_000);
});

test('the newest idle instance is used first, so that the oldest goes when its keep-alive has passed', () => {
  // Two at a time once, then one at a time: the first one's last use ends at 1,100.
  const traffic = trafficOf(
    [
      [0, 1_000],
      [500, 1_000],
      [3_000, 100],
      [6_000, 100],
      [9_000, 100],
    ],
    20_000,
  );
  const { used, coldStarts, latencyQuantilesMs } = simulate(
    traffic,
    functionModel({ keepAliveMs: 5_000 }),
    1,
  );
  assert.equal(coldStarts, 2);
  // 0 to 1,100 + 5,000; 500 to 9,100 + 5,000.
  assert.equal(used.instances.livedMs, 6_100 + 13_600);
  assert.equal(used.wholeMs, 1_100 + 1_100 + 300);
  assert.deepEqual([latencyQuantilesMs[0], latencyQuantilesMs[100]], [100, 1_100]);
});

test('what is refused, what waits and what is cut short', () => {
  const traffic = trafficOf(
    [
      [0, 900],
      [10, 100],
      [20, 100],
      [30, 100],
    ],
    10_000,
  );
  const model = functionModel({ maxInstances: 1, maxQueued: 2, timeoutMs: 950 });
  const { used, refused, coldStarts } = simulate(traffic, model, 1);
  // The first waits 100 for its start and has 850 left of 950; so its instance is killed, and those that wait have waited too long at
  // 960 and 970 or come in time for the next start, which takes 100.
  assert.equal(refused, 3);
  assert.equal(used.executed, 1);
  assert.equal(used.wholeMs, 950);
  assert.equal(coldStarts, 1);
});

test("minutes are the wall clock's, and long work is spread over them", () => {
  const traffic = trafficOf([[50_000, 70_000]], 180_000);
  const { used, minutes } = simulate(traffic, functionModel({ keepAliveMs: 0 }), 1);
  assert.deepEqual(
    used.load.map(({ executed, workMs, busiest }) => [executed, workMs, busiest]),
    [
      [1, 9_900, 1],
      [0, 60_000, null],
      [0, 100, null],
    ],
  );
  assert.deepEqual(
    minutes.map(({ living, busy }) => [living * 60_000, busy * 60_000].map(Math.round)),
    [
      [10_000, 9_900],
      [60_000, 60_000],
      [100, 100],
    ],
  );
});

test('the same seed gives the same to the last bit, another one another', () => {
  const traffic = poisson({ count: 2_000, pauseMs: 50, durationMs: 80, seed: 3 });
  const model = functionModel({ keepAliveMs: 200 }, { coldStart: { quantilesMs: [50, 100, 700] } });
  assert.deepEqual(simulate(traffic, model, 5), simulate(traffic, model, 5));
  assert.notDeepEqual(simulate(traffic, model, 5), simulate(traffic, model, 6));
});

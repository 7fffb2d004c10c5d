import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { EPOCH_MS, poisson, trafficOf } from '../testing/traffic.ts';
import { Arrivals, scaledTraffic } from './arrivals.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

describe('arrivals', () => {
  test('of a stretch are those in it, and of all stretches all of them', () => {
    const traffic = poisson({ count: 2_000, pauseMs: 1_000, durationMs: 50, seed: 1 });
    const arrivals = new Arrivals({ kind: 'arrivals', traffic });
    const middleMs = EPOCH_MS + 10 * MINUTE_MS;
    const [before, after] = [
      { fromMs: traffic.fromMs, toMs: middleMs },
      { fromMs: middleMs, toMs: traffic.toMs },
    ].map((span) => arrivals.placed(span, 1, 1));
    assert.equal(before!.arrivedAtMs.length + after!.arrivedAtMs.length, 2_000);
    assert.ok(before!.arrivedAtMs.every((atMs) => atMs < middleMs));
    assert.ok(after!.arrivedAtMs.every((atMs) => atMs >= middleMs));
    assert.equal(
      arrivals.minutes(traffic).reduce((sum, { count }) => sum + count, 0),
      2_000,
    );
  });

  test('times a number are in order, within the stretch, and about so many', () => {
    const traffic = poisson({ count: 3_000, pauseMs: 1_000, durationMs: 50, seed: 2 });
    const arrivals = new Arrivals({ kind: 'arrivals', traffic });
    fc.assert(
      fc.property(fc.double({ min: 0.05, max: 6, noNaN: true }), fc.integer(), (times, seed) => {
        const { arrivedAtMs, durationMs, cpuMs, fromMs, toMs } = arrivals.placed(traffic, times, seed);
        assert.ok(Math.abs(arrivedAtMs.length - 3_000 * times) <= 6 * Math.sqrt(3_000) * 0.5 + 1);
        assert.equal(durationMs.length, arrivedAtMs.length);
        assert.equal(cpuMs.length, arrivedAtMs.length);
        for (const [i, atMs] of arrivedAtMs.entries()) {
          assert.ok(atMs >= fromMs && atMs <= toMs);
          assert.ok(i === 0 || atMs >= arrivedAtMs[i - 1]!);
        }
      }),
      { seed: 3, numRuns: 30 },
    );
  });

  test('that come in a burst come in bursts when there are more of them', () => {
    const pairs = Array.from({ length: 100 }, (_, i) => [30 * MINUTE_MS + i * 10, 50] as const);
    const arrivals = new Arrivals({ kind: 'arrivals', traffic: trafficOf(pairs, HOUR_MS) });
    const { arrivedAtMs } = arrivals.placed(arrivals.span, 3, 1);
    const within = arrivedAtMs.filter((atMs) => {
      const minute = (atMs - EPOCH_MS) / MINUTE_MS;
      return minute >= 30 && minute <= 31.1;
    });
    assert.equal(within.length, 300);
  });

  test('of minutes have their counts, placed anew by each seed', () => {
    const traffic = {
      component: 'orders',
      fromMs: EPOCH_MS,
      invocations: [5, 0, 7],
      duration: { quantilesMs: [10, 20] },
      cpuShare: 0.5,
    };
    const arrivals = new Arrivals(scaledTraffic({ kind: 'minutes', traffic }, 2));
    assert.equal(arrivals.count(arrivals.span), 24);
    assert.deepEqual(arrivals.minutes(arrivals.span), [
      { minuteMs: EPOCH_MS, count: 10 },
      { minuteMs: EPOCH_MS + 2 * MINUTE_MS, count: 14 },
    ]);
    const [one, same, other] = [1, 1, 2].map((seed) => arrivals.placed(arrivals.span, 1, seed));
    assert.equal(one!.arrivedAtMs.length, 24);
    assert.deepEqual(one, same);
    assert.notDeepEqual(one!.arrivedAtMs, other!.arrivedAtMs);
  });
});

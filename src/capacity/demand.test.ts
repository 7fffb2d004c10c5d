import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Arrival } from '../model/usage-store.ts';
import { peakConcurrency } from './concurrency.ts';
import { burstOf, demandOf, instancesNeeded, instancesPresent, outagesOf, together } from './demand.ts';
import { HOUR_MS } from './forecast.ts';
import { FROM_MS } from './testing/synthetic.ts';
import { hour, spec } from './testing/usage.ts';

const at = (hours: number): number => FROM_MS + hours * HOUR_MS;
const demand = (rps: number) => demandOf([hour(at(0), rps)], at(1), new Set())[0]!;

describe('demand', () => {
  it('is of the busiest minute, with concurrency by Little’s law', () => {
    const usage = hour(at(0), 10, { minuteCount: 1_200, minuteWorkMs: 120_000, minuteCpuMs: 30_000 });
    assert.deepEqual(demandOf([usage], at(1), new Set()), [
      { atMs: at(0), requests: 36_000, rps: 20, concurrency: 2, cpuCores: 0.5 },
    ]);
  });

  it('is nothing in an hour without usage, and unknown in an outage', () => {
    const hours = demandOf([hour(at(0), 1), hour(at(3), 1)], at(5), new Set([at(2)]));
    assert.deepEqual(
      hours.map((one) => one?.requests ?? null),
      [3_600, 0, null, 3_600, 0],
    );
    assert.deepEqual(demandOf([], at(5), new Set()), []);
  });

  it('takes silence for an outage only where there is usually something', () => {
    // Open from 8 to 20; on the third day nothing from 10 to 14.
    const open = Array.from({ length: 7 * 24 }, (_, i) => i).filter((i) => i % 24 >= 8 && i % 24 < 20);
    const lost = new Set([58, 59, 60, 61]);
    const one = open.filter((i) => i % 2 === 0 && !lost.has(i)).map((i) => hour(at(i), 1));
    const other = open.filter((i) => i % 2 === 1 && !lost.has(i)).map((i) => hour(at(i), 1));
    assert.deepEqual([...outagesOf([one, other], at(7 * 24))], [...lost].map(at));
    const quiet = open.filter((i) => !lost.has(i)).map((i) => hour(at(i), 0.01));
    assert.equal(outagesOf([quiet], at(7 * 24)).size, 0);
    assert.equal(outagesOf([], at(1)).size, 0);
  });

  it('of a function is as many instances as work at the same time', () => {
    const mean = demand(200).concurrency;
    assert.equal(mean, 10);
    assert.equal(instancesNeeded(spec(), 'function', demand(200), 1), together(10));
    assert.equal(
      instancesNeeded(spec({ function: { concurrency: 4 } }), 'function', demand(200), 2),
      together(10) / 2,
    );
    const fresh = spec({ function: { concurrency: 4, fresh: true } });
    assert.equal(instancesNeeded(fresh, 'function', demand(200), 1), together(10));
    assert.equal(instancesNeeded(spec(), 'function', demand(0.001), 1), 1);
    assert.equal(instancesNeeded(spec(), 'function', demand(0), 1), 0);
  });

  it('of a service is by 70 % of its concurrency, or of a core each', () => {
    const slow = { ...demand(200), cpuCores: 0.1 };
    assert.equal(instancesNeeded(spec({ service: { concurrency: 5 } }), 'service', slow, 3), 10 / 3.5);
    assert.equal(instancesNeeded(spec(), 'service', demand(200), 1), 4 / 0.7);
  });

  it('is met by whole instances within the settings', () => {
    const service = spec({ service: { minReplicas: 2, maxReplicas: 5 } });
    assert.deepEqual(
      [0, 2.1, 9].map((needed) => instancesPresent(service, 'service', needed)),
      [2, 3, 5],
    );
    assert.deepEqual(
      [0, 2.1, 99].map((needed) => instancesPresent(spec(), 'function', needed)),
      [0, 3, 10],
    );
  });

  it('knows bursts by what was counted exactly', () => {
    assert.equal(burstOf(null, 5), 1);
    assert.equal(burstOf(3, 0), 1);
    assert.equal(burstOf(2 * together(9), 9), 2);
    assert.equal(burstOf(1e9, 9), 10);
    assert.equal(burstOf(0, 9), 0.1);
  });
});

describe('concurrency at the peak', () => {
  const arrival = (arrivedAtMs: number, durationMs: number, refused = false): Arrival => ({
    arrivedAtMs,
    durationMs,
    refused,
    cold: false,
    mode: 'function',
  });

  it('counts who is there at the same time, and not who comes as another goes', () => {
    const arrivals = [
      arrival(0, 10),
      arrival(10, 10),
      arrival(15, 1),
      arrival(12, 50, true),
      arrival(200, 5),
    ];
    assert.equal(peakConcurrency(arrivals, 0, 100), 2);
    assert.equal(peakConcurrency(arrivals, 100, 150), 0);
    assert.equal(peakConcurrency([arrival(0, 500)], 100, 150), 1);
    assert.equal(peakConcurrency([], 0, 1), 0);
  });

  it('is what looking at every millisecond finds', () => {
    const one = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 30 }));
    fc.assert(
      fc.property(fc.array(one, { maxLength: 40 }), (pairs) => {
        const arrivals = pairs.map(([from, lasts]) => arrival(from, lasts));
        let most = 0;
        for (let ms = 0; ms < 100; ms++) {
          const there = pairs.filter(([from, lasts]) => from <= ms && ms < from + lasts).length;
          most = Math.max(most, there);
        }
        assert.equal(peakConcurrency(arrivals, 0, 1_000), most);
      }),
    );
  });
});

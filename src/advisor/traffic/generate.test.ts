import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Traffic } from '../../model/simulation.ts';
import { generated, SHAPES, type Generated } from './generate.ts';

const HOUR_MS = 3_600_000;

function made(o: Partial<Generated>, seed = 1): Traffic {
  const one = generated({ shape: 'poisson', rate: 5, lengthMs: 24 * HOUR_MS, ...o }, () => 7);
  return one.traffic({ span: one.span, seed, cpuShare: 0.5 });
}

function gapsOf({ arrivedAtMs }: Traffic): Float64Array {
  return arrivedAtMs.slice(1).map((ms, i) => ms - arrivedAtMs[i]!);
}

/** Variance of the gaps over the square of their mean: 1 where arrivals are independent. */
function dispersion(traffic: Traffic): number {
  const gaps = gapsOf(traffic);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  return gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length / mean ** 2;
}

describe('generated traffic', () => {
  for (const shape of SHAPES) {
    test(`${shape}: its rate is what was asked for, its arrivals are in order and within its time`, () => {
      fc.assert(
        fc.property(fc.integer(), fc.double({ min: 1, max: 10, noNaN: true }), (seed, rate) => {
          const traffic = made({ shape, rate }, seed);
          const { arrivedAtMs, fromMs, toMs } = traffic;
          const expected = rate * 86_400;
          // Bursts of 20 make the count's deviation some six times that of independent arrivals.
          assert.ok(
            Math.abs(arrivedAtMs.length - expected) < 40 * Math.sqrt(expected),
            `${arrivedAtMs.length} of ${expected}`,
          );
          assert.ok(arrivedAtMs[0]! >= fromMs && arrivedAtMs.at(-1)! < toMs);
          assert.ok(gapsOf(traffic).every((gap) => gap >= 0));
        }),
        { seed: 11, numRuns: 4 },
      );
    });

    test(`${shape}: the same seed gives the same`, () => {
      assert.deepEqual(made({ shape }, 5), made({ shape }, 5));
    });
  }

  test('poisson arrivals are independent, bursty ones come together, periodic ones are even', () => {
    assert.ok(Math.abs(dispersion(made({ shape: 'poisson' })) - 1) < 0.05);
    assert.ok(dispersion(made({ shape: 'bursty' })) > 10);
    assert.ok(dispersion(made({ shape: 'periodic' })) < 1e-9);
  });

  test('a day is busiest at 14:00 and quietest at 02:00', () => {
    const { arrivedAtMs, fromMs } = made({ shape: 'diurnal' });
    const hours = Array.from({ length: 24 }, () => 0);
    for (const atMs of arrivedAtMs) hours[Math.floor((atMs - fromMs) / HOUR_MS)]!++;
    assert.ok([13, 14].includes(hours.indexOf(Math.max(...hours))), String(hours));
    assert.ok([1, 2].includes(hours.indexOf(Math.min(...hours))), String(hours));
    assert.ok(Math.max(...hours) > 6 * Math.min(...hours));
  });

  test('durations and CPU time are as asked for', () => {
    const { durationMs, cpuMs } = made({});
    assert.ok(durationMs.every((ms) => ms === 7) && cpuMs.every((ms) => ms === 3.5));
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { fitLogNormal, fromLogNormal, fromPercentiles, logNormalOf, type Durations } from './durations.ts';
import { Random } from '../random.ts';

const DRAWS = 400_000;

function drawn(durations: Durations, seed = 1): Float64Array {
  const random = new Random(seed, 'test');
  return Float64Array.from({ length: DRAWS }, () => durations(random)).sort();
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function near(value: number, expected: number, share: number): void {
  assert.ok(Math.abs(value - expected) <= share * expected, `${value} is not near ${expected}`);
}

describe('log-normal durations', () => {
  test('have the median and the 99th percentile that were given', () => {
    const values = drawn(fromLogNormal(logNormalOf(100, 1_000)));
    near(values[DRAWS / 2]!, 100, 0.02);
    near(values[DRAWS * 0.99]!, 1_000, 0.05);
  });

  test('fitted to draws are what the draws came from', () => {
    const from = logNormalOf(40, 300);
    const fitted = fitLogNormal(drawn(fromLogNormal(from)))!;
    near(fitted.mean, from.mean, 0.01);
    near(fitted.deviation, from.deviation, 0.01);
  });

  test('leave out what is not known, and are none where nothing is', () => {
    assert.equal(fitLogNormal([]), null);
    assert.equal(fitLogNormal([NaN]), null);
    near(Math.exp(fitLogNormal([NaN, 5, 5])!.mean), 5, 1e-9);
  });
});

describe('durations between percentiles', () => {
  const shares = [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1];

  test('have those percentiles, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 100_000 }), { minLength: 7, maxLength: 7 }),
        fc.option(fc.nat({ max: 100_000 })),
        fc.integer(),
        (given, averageMs, seed) => {
          const ms = given.toSorted((a, b) => a - b);
          const percentiles = shares.map((share, i) => ({ share, ms: ms[i]! }));
          const values = drawn(fromPercentiles(percentiles, averageMs), seed);
          assert.ok(values[0]! >= ms[0]! - 1e-6 && values.at(-1)! <= ms[6]! + 1e-6);
          for (const { share, ms: expected } of percentiles.slice(2, 5)) {
            const below = values.findLastIndex((value) => value <= expected + 1e-6) + 1;
            const reached = values.findIndex((value) => value >= expected - 1e-6);
            assert.ok(
              reached / DRAWS < share + 0.01 && below / DRAWS > share - 0.01,
              `${share}: ${reached} ${below}`,
            );
          }
        },
      ),
      { seed: 3, numRuns: 20 },
    );
  });

  test('have the average that is known, where the ends allow', () => {
    const percentiles = [3, 4, 5, 10, 20, 100, 10_000].map((ms, i) => ({ share: shares[i]!, ms }));
    for (const averageMs of [21, 30, 60])
      near(meanOf(drawn(fromPercentiles(percentiles, averageMs))), averageMs, 0.05);
    const least = meanOf(drawn(fromPercentiles(percentiles, 0)));
    assert.ok(least > 17 && least < 21, String(least));
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { between, logScale } from './log-scale.ts';
import { rateWords } from './rate-words.ts';

describe('a logarithmic axis', () => {
  it('goes from one power of ten to another', () => {
    const scale = logScale([0.02, 30, 0, 7], 8)!;
    assert.deepEqual([scale.from, scale.to], [0.01, 100]);
    assert.deepEqual(scale.ticks, [0.01, 0.1, 1, 10, 100]);
    assert.ok(Math.abs(scale.at(1) - 0.5) < 1e-12);
    assert.deepEqual([scale.at(0.001), scale.at(1_000)], [0, 1]);
  });

  it('has one decade where all is the same, and none where nothing is above zero', () => {
    assert.deepEqual(logScale([10, 10], 8)?.ticks, [1, 10]);
    assert.equal(logScale([0, -1, Infinity, Number.NaN], 8), null);
  });

  it('leaves ticks out where there are many, and what nobody would see', () => {
    assert.deepEqual(logScale([1e-3, 1e3], 4)?.ticks, [1e-3, 0.1, 10, 1e3]);
    assert.equal(logScale([1e-300, 1e3], 4)?.from, 1e-5);
  });

  it('puts whatever it was made of between its ends, in order', () => {
    const amounts = fc.array(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 9 });
    fc.assert(
      fc.property(amounts, fc.integer({ min: 2, max: 9 }), (values, most) => {
        const scale = logScale(values, most)!;
        assert.ok(scale.ticks.length <= most && scale.ticks.length >= 2);
        const places = values.toSorted((a, b) => a - b).map((value) => scale.at(value));
        assert.deepEqual(
          places,
          places.toSorted((a, b) => a - b),
        );
        assert.ok(places.every((place) => place >= 0 && place <= 1));
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe('a cost between two points', () => {
  const points = [
    [1, 10],
    [100, 1_000],
    [1_000, null],
    [10_000, 0],
  ] as const;

  it('lies on the straight line between their logarithms', () => {
    assert.equal(between(points, 1), 10);
    assert.ok(Math.abs(between(points, 10)! - 100) < 1e-9);
    assert.equal(between(points, 100), 1_000);
  });

  it('is none beyond them, and beside one that is not sold', () => {
    assert.deepEqual(
      [0.5, 200, 1_000, 5_000, 10_000, 20_000].map((rate) => between(points, rate)),
      [...Array.from({ length: 6 }, () => null)],
    );
  });
});

describe('a rate in words', () => {
  it('has the unit in which it is one at least', () => {
    const words = [12_345, 120, 12, 0.5, 1 / 60, 1 / 3_600, 0.5 / 3_600, 1 / 86_400, 2 / (730 * 3_600)];
    assert.deepEqual(words.map(rateWords), [
      '12.3K/s',
      '120/s',
      '12/s',
      '30/min',
      '1/min',
      '1/h',
      '12/day',
      '1/day',
      '2/month',
    ]);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from './random.ts';

const draws = (seed: number, purpose: string, count: number): number[] => {
  const random = new Random(seed, purpose);
  return Array.from({ length: count }, () => random.next());
};

test('a seed and a purpose give the same numbers each time, and others others', () => {
  assert.deepEqual(draws(1, 'start', 50), draws(1, 'start', 50));
  const firsts = ['start', 'level', 'pause'].flatMap((purpose) =>
    [0, 1, 2, -1].map((seed) => draws(seed, purpose, 1)[0]!),
  );
  assert.equal(new Set(firsts).size, firsts.length);
  assert.ok(firsts.every((value) => value >= 0 && value < 1));
});

test('they are spread evenly, and each says nothing of the next', () => {
  const values = draws(7, 'start', 200_000);
  const counts = new Float64Array(20);
  for (const value of values) counts[Math.floor(value * 20)]! += 1;
  // Chi squared with 19 degrees of freedom: 43.8 is exceeded by one seed in a thousand.
  const chi = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  assert.ok(chi < 43.8, String(chi));
  const together = values.slice(1).reduce((sum, value, i) => sum + (value - 0.5) * (values[i]! - 0.5), 0);
  assert.ok(Math.abs(together / values.length) < 0.001);
});

test('exponential and normal numbers have their means and spreads', () => {
  const random = new Random(3, 'moments');
  const mean = (of: () => number): number =>
    Array.from({ length: 100_000 }, of).reduce((sum, value) => sum + value, 0) / 100_000;
  assert.ok(Math.abs(mean(() => random.exponential(5)) - 5) < 0.08);
  assert.ok(Math.abs(mean(() => random.normal())) < 0.02);
  assert.ok(Math.abs(mean(() => random.normal() ** 2) - 1) < 0.03);
});

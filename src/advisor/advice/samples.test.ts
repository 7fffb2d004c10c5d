import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Random } from '../random.ts';
import { bandOf } from './outlook.ts';
import { ratesOf, samplesOf } from './samples.ts';

const WINDOWS = 400;

/** Share of windows whose next one is in the band that the first gives. */
function coverage(next: (random: Random, before: number | null) => number, blocks: number): number {
  const random = new Random(1, 'test');
  let held = 0;
  for (let window = 0; window < WINDOWS; window++) {
    let before: number | null = null;
    const series = Array.from({ length: blocks * 2 }, () => (before = next(random, before)));
    const [last, later] = [series.slice(0, blocks), series.slice(blocks)];
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    const { low, high } = bandOf(ratesOf(samplesOf(last, 1, 200, window, null), last));
    const found = sum(later) / sum(last);
    if (found >= low && found <= high) held++;
  }
  return held / WINDOWS;
}

describe('samples', () => {
  test('hold nine of ten next windows, whether blocks are few or many', () => {
    const independent = (random: Random): number => Math.exp(0.4 * random.normal());
    for (const blocks of [3, 4, 6, 14, 48]) {
      const share = coverage(independent, blocks);
      assert.ok(share >= 0.85 && share <= 0.985, `${blocks} blocks: ${share}`);
    }
  });

  test('widen where blocks go with their neighbours', () => {
    const persistent = (random: Random, before: number | null): number =>
      Math.exp(0.7 * (before === null ? 0 : Math.log(before)) + 0.3 * random.normal());
    const share = coverage(persistent, 24);
    // Bands of blocks that know nothing of each other hold half of these.
    assert.ok(share >= 0.75, `${share}`);
  });

  test('of what was described are wider by its doubt', () => {
    const weights = Array<number>(24).fill(10);
    const width = (rate: number): number => {
      const { low, high } = bandOf(ratesOf(samplesOf(weights, 1, 200, 1, { rate, duration: 0 }), weights));
      return Math.log(high / low);
    };
    assert.ok(width(0) < 0.2);
    assert.ok(width(0.5) > 1.3);
  });

  test('are the same for the same seed, and the same everywhere of nothing', () => {
    assert.deepEqual(samplesOf([1, 2, 3], 2, 20, 5, null), samplesOf([1, 2, 3], 2, 20, 5, null));
    assert.deepEqual(ratesOf(samplesOf([0, 0], 1, 20, 5, null), [0, 0]), []);
  });
});

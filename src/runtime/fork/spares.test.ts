import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { blanksFor, sparesFor, StartRate } from './spares.ts';

/** The spares wanted right after starts at these times. */
function after(startsMs: readonly number[], nowMs: number): number {
  const rate = new StartRate();
  for (const at of startsMs) rate.started(at);
  return sparesFor(rate.perS(nowMs));
}

const every = (periodMs: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => i * periodMs);

test('a blank zygote always waits, more the more often one is taken, and never more than eight', () => {
  assert.deepEqual([0, 1, 7.9, 8, 40, 56, 1_000].map(blanksFor), [1, 1, 1, 2, 6, 8, 8]);
});

describe('spares', () => {
  test('none for a start now and then', () => {
    assert.equal(after([], 0), 0);
    assert.equal(after([0], 0), 0);
    assert.equal(after(every(60_000, 50), 49 * 60_000), 0);
  });

  test('one for the second start within seconds, and for a steady trickle', () => {
    assert.equal(after([0, 1_000], 1_000), 1);
    assert.equal(after(every(1_000, 100), 99_000), 1);
  });

  test('more for a higher rate, and never more than four', () => {
    assert.equal(after(every(20, 2_000), 1_999 * 20), 3);
    assert.equal(after(every(1, 20_000), 19_999), 4);
  });

  test('none again some seconds after the last', () => {
    const last = 1_999 * 20;
    assert.equal(after(every(20, 2_000), last + 60_000), 0);
  });
});

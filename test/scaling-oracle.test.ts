import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Arrival } from '../bench/arrivals.ts';
import { leastInstanceMs } from '../bench/oracle.ts';

/** Every way in which each invocation follows an earlier one on its instance, or begins a new one. */
function byTryingAll(arrivals: readonly Arrival[], startMs: number): number {
  const sorted = arrivals.toSorted((a, b) => a.atMs - b.atMs);
  const followed = new Set<number>();
  const least = (next: number): number => {
    const one = sorted[next];
    if (one === undefined) return 0;
    let best = startMs + least(next + 1);
    for (let before = 0; before < next; before++) {
      const gapMs = one.atMs - sorted[before]!.atMs - sorted[before]!.takesMs;
      if (gapMs < 0 || followed.has(before)) continue;
      followed.add(before);
      best = Math.min(best, gapMs + least(next + 1));
      followed.delete(before);
    }
    return one.takesMs + best;
  };
  return least(0);
}

test('the oracle of the scaling benchmark needs as little as the best of all schedules', () => {
  const arrival = fc.record({ atMs: fc.nat(60), takesMs: fc.integer({ min: 1, max: 25 }) });
  fc.assert(
    fc.property(fc.array(arrival, { maxLength: 6 }), fc.nat(20), (arrivals, startMs) => {
      assert.equal(leastInstanceMs(arrivals, startMs), byTryingAll(arrivals, startMs));
    }),
    { numRuns: 300 },
  );
});

test('it keeps an instance through a short pause and starts another for a long one', () => {
  const at = (atMs: number): Arrival => ({ atMs, takesMs: 10 });
  assert.equal(leastInstanceMs([], 5), 0);
  assert.equal(leastInstanceMs([at(0)], 5), 15);
  assert.equal(leastInstanceMs([at(0), at(13)], 5), 5 + 10 + 3 + 10);
  assert.equal(leastInstanceMs([at(0), at(100)], 5), 30);
  assert.equal(leastInstanceMs([at(0), at(0)], 5), 30);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResetBudget } from './reset-budget.ts';

test('a burst, then so many a second, and never more than a burst is saved up', () => {
  const budget = new ResetBudget(3, 2, 0);
  const spent = (count: number, atMs: number): boolean[] =>
    Array.from({ length: count }, () => budget.spend(atMs));
  assert.deepEqual(spent(4, 0), [true, true, true, false]);
  const rested = new ResetBudget(3, 2, 0);
  for (let i = 0; i < 3; i++) rested.spend(0);
  assert.equal(rested.spend(500), true);
  assert.equal(rested.spend(500), false);
  const long = new ResetBudget(3, 2, 0);
  assert.deepEqual(
    Array.from({ length: 4 }, () => long.spend(1_000_000)),
    [true, true, true, false],
  );
});

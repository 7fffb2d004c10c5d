import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CanaryRecord } from '../../model/app-record.ts';
import { canaryMove, canaryPercent } from './canary-step.ts';

const CANARY: CanaryRecord = {
  release: 7,
  steps: [1, 10, 50],
  everyMs: 60_000,
  maxErrors: 0.01,
  step: 0,
  stepBeganAtMs: 1_000_000,
};
const WITHIN = 1_059_999;
const OVER = 1_060_000;

test('it stays while its step lasts and few enough fail', () => {
  for (const counts of [
    { total: 0, failed: 0 },
    { total: 19, failed: 19 },
    { total: 100, failed: 1 },
    { total: 100_000, failed: 1_000 },
  ])
    assert.deepEqual(canaryMove(CANARY, counts, WITHIN), { kind: 'stay' });
});

test('it goes back as soon as more fail than may, and says how many', () => {
  assert.deepEqual(canaryMove(CANARY, { total: 20, failed: 1 }, WITHIN), {
    kind: 'return',
    why: '1 of 20 requests failed (5 %), where 1 % may',
  });
  assert.equal(canaryMove(CANARY, { total: 100, failed: 2 }, WITHIN).kind, 'return');
  assert.equal(canaryMove({ ...CANARY, maxErrors: 0 }, { total: 20, failed: 1 }, WITHIN).kind, 'return');
});

test('at the end of a step few requests are all there is to judge by', () => {
  assert.equal(canaryMove(CANARY, { total: 3, failed: 1 }, OVER).kind, 'return');
  assert.deepEqual(canaryMove(CANARY, { total: 3, failed: 0 }, OVER), { kind: 'step', step: 1 });
});

test('it takes one step after the other, and then all the traffic; where nobody came, by time alone', () => {
  const none = { total: 0, failed: 0 };
  assert.deepEqual(canaryMove({ ...CANARY, step: 1 }, none, OVER), { kind: 'step', step: 2 });
  assert.deepEqual(canaryMove({ ...CANARY, step: 2 }, none, OVER), { kind: 'promote' });
});

test('all errors may be allowed', () => {
  const canary = { ...CANARY, maxErrors: 1 };
  assert.equal(canaryMove(canary, { total: 50, failed: 50 }, WITHIN).kind, 'stay');
});

test('its share is that of its step, and never more than the last', () => {
  assert.deepEqual(
    [0, 1, 2, 9].map((step) => canaryPercent({ ...CANARY, step })),
    [1, 10, 50, 50],
  );
});

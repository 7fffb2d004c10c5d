import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import { canaryPlan, type CanaryOptions } from './canary-options.ts';

test('a canary is read from what the command line says, and has defaults', () => {
  assert.equal(canaryPlan({}), null);
  assert.deepEqual(canaryPlan({ canary: '1%,10%,50%' }), {
    steps: [1, 10, 50],
    everyMs: 120_000,
    maxErrors: 0.01,
  });
  assert.deepEqual(canaryPlan({ canary: ' 0.5 , 25%', every: '30s', maxErrors: '0.1%' }), {
    steps: [0.5, 25],
    everyMs: 30_000,
    maxErrors: 0.001,
  });
});

const WRONG: readonly (readonly [CanaryOptions, RegExp])[] = [
  [{ every: '2m' }, /belong to --canary/],
  [{ maxErrors: '1%' }, /belong to --canary/],
  [{ canary: '' }, /'' is none/],
  [{ canary: 'some' }, /'some' is none/],
  [{ canary: '10%,,50%' }, /'' is none/],
  [{ canary: '0%' }, /above 0%/],
  [{ canary: '100%' }, /below 100%/],
  [{ canary: '50%,10%' }, /rise/],
  [{ canary: '10%,10%' }, /rise/],
  [{ canary: '-1%' }, /'-1%' is none/],
  [{ canary: Array.from({ length: 21 }, (_, i) => `${i + 1}%`).join(',') }, /at most 20/],
  [{ canary: '1%', every: '2' }, /--every takes a duration/],
  [{ canary: '1%', every: '10ms' }, /--every takes a duration of a second/],
  [{ canary: '1%', maxErrors: 'few' }, /--max-errors takes percentages/],
  [{ canary: '1%', maxErrors: '101%' }, /at most 100%/],
];
for (const [options, expected] of WRONG) {
  test(`${JSON.stringify(options).slice(0, 60)} is refused`, () => {
    assert.throws(
      () => canaryPlan(options),
      (error) => error instanceof FulcrumError && error.code === 'usage' && expected.test(error.message),
    );
  });
}

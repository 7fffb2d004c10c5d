import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FulcrumError, type ErrorCode } from '../base/errors.ts';
import { hasFailed } from './outcomes.ts';

const refusedWith = (code: ErrorCode): FulcrumError =>
  new FulcrumError('call-refused', 'no', { cause: new FulcrumError(code, 'no') });

test('an answer counts by its status, or by whose fault it was', () => {
  assert.deepEqual([hasFailed(499, null), hasFailed(500, null)], [false, true]);
  assert.equal(hasFailed(500, new FulcrumError('handler-error', 'no')), true);
  assert.equal(hasFailed(429, new FulcrumError('switched-off', 'no')), false);
});

test('limits and the kill switch of a called component are no failure of its caller', () => {
  assert.equal(hasFailed(503, refusedWith('rate-limited')), false);
  assert.equal(hasFailed(503, refusedWith('switched-off')), false);
  // As without a call: a release may have made what it calls slow.
  assert.equal(hasFailed(503, refusedWith('overloaded')), true);
  assert.equal(hasFailed(503, new FulcrumError('call-refused', 'no')), true);
});

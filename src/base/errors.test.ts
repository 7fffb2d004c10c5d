import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asFulcrumError, FulcrumError, messageOf } from './errors.ts';

test('an error tells its status, whose fault it is, and keeps its cause', () => {
  const cause = new Error('inner');
  const error = new FulcrumError('overloaded', 'Too much.', {
    cause,
    retryAfterS: 2,
    details: { queued: 3 },
  });
  assert.deepEqual(
    [error.status, error.fault, error.retryAfterS, error.details, error.cause],
    [503, 'platform', 2, { queued: 3 }, cause],
  );
});

test('whatever was thrown becomes an error with a message', () => {
  const own = new FulcrumError('timeout', 'Late.');
  assert.equal(asFulcrumError(own), own);
  assert.equal(asFulcrumError('text').message, 'text');
  assert.equal(asFulcrumError(new TypeError('boom'), 'handler-error').code, 'handler-error');
  const hostile = {
    toString() {
      throw new Error('no');
    },
  };
  assert.equal(messageOf(hostile), 'an error that cannot be printed');
  assert.equal(messageOf(Object.create(null)), 'an error that cannot be printed');
});

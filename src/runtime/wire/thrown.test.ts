import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import { fromThrown, readThrown, thrownOf, toThrown } from './thrown.ts';

test('when to try again crosses with an error, and nothing else that is called so', () => {
  const there = (retryAfterS: unknown): unknown => {
    const thrown = readThrown(
      JSON.parse(JSON.stringify(toThrown(Object.assign(new Error('x'), { retryAfterS })))),
    );
    return (fromThrown(thrown!) as { retryAfterS?: unknown }).retryAfterS;
  };
  for (const seconds of [0, 1.5, 365 * 86_400]) assert.equal(there(seconds), seconds);
  for (const none of [null, -1, '5', NaN, 1e12, {}]) assert.equal(there(none), undefined);
  assert.equal(readThrown({ name: 'E', message: '', retryAfterS: 'soon' })!.retryAfterS, undefined);
  const refused = new FulcrumError('rate-limited', 'Too many.', { retryAfterS: 2 });
  assert.equal(thrownOf(refused).retryAfterS, 2);
  assert.equal('retryAfterS' in thrownOf(new FulcrumError('internal', 'x')), false);
});

test('an error of which nobody knows where it came from has no frames of ours', () => {
  const error = fromThrown({
    name: 'FulcrumError',
    message: 'It ended.',
    stack: null,
    code: 'instance-crashed',
    cause: null,
  });
  assert.equal(error.stack, 'FulcrumError: It ended.');
});

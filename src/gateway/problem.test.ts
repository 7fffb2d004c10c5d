import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { problemOf } from './problem.ts';

function shown(error: FulcrumError, dev: boolean): Record<string, unknown> {
  const { body } = problemOf({ error, requestId: 'r_1', component: 'shop', dev });
  return JSON.parse(body.toString()) as Record<string, unknown>;
}

test('has the members of RFC 9457, the request id and the component', () => {
  assert.deepEqual(shown(new FulcrumError('body-too-large', 'Too much.'), false), {
    type: 'https://fulcrum.dev/errors/body-too-large',
    title: 'The request body is too large',
    status: 413,
    detail: 'Too much.',
    requestId: 'r_1',
    component: 'shop',
  });
});

test("an author's error is told in development only, and never with stack, cause or details", () => {
  const error = new FulcrumError('handler-error', 'Error: no such table\n    at run (/srv/app/db.ts:3:1)', {
    cause: new Error('password=hunter2'),
    details: { output: 'hunter2' },
  });
  assert.equal(shown(error, true)['detail'], 'Error: no such table');
  assert.match(String(shown(error, false)['detail']), /request id/);
  assert.doesNotMatch(JSON.stringify([shown(error, true), shown(error, false)]), /hunter2|db\.ts/);
  const internal = new FulcrumError('internal', 'EACCES: /var/lib/fulcrum');
  assert.doesNotMatch(JSON.stringify(shown(internal, false)), /var/);
});

test('a client that may try again is told when', () => {
  const after = (error: FulcrumError): string | undefined => {
    const { fields } = problemOf({ error, requestId: 'r', component: '-', dev: false });
    const at = fields.indexOf('Retry-After');
    return at === -1 ? undefined : fields[at + 1];
  };
  assert.equal(after(new FulcrumError('overloaded', 'Full.', { retryAfterS: 2.2 })), '3');
  assert.equal(after(new FulcrumError('shutting-down', 'Bye.')), '1');
  assert.equal(after(new FulcrumError('timeout', 'Late.')), undefined);
});

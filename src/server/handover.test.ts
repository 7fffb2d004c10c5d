import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refuseAsFirstProcess } from './handover.ts';

test('the first process of a container has no successor', () => {
  assert.throws(() => refuseAsFirstProcess(1), {
    code: 'conflict',
    message: /Replace the container instead/,
  });
  refuseAsFirstProcess(2);
});

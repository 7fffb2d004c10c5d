import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nothingDrained } from './drain-words.ts';

test('beside a canary what served before serves on', () => {
  assert.equal(nothingDrained({ serving: { number: 1 }, canary: null }), 'nothing served before');
  assert.equal(
    nothingDrained({ serving: { number: 14 }, canary: { number: 15 } }),
    'nothing: release 14 serves the other clients',
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validatorsOf } from './validators.ts';

test('an entity tag tells size, time and coding apart; a date goes to the second', () => {
  const modifiedNs = 1_772_600_767_500_000_001n;
  const plain = validatorsOf(10n, modifiedNs, null);
  const others = [
    validatorsOf(11n, modifiedNs, null),
    validatorsOf(10n, modifiedNs + 1n, null),
    validatorsOf(10n, modifiedNs, 'br'),
    validatorsOf(10n, modifiedNs, 'gzip'),
  ];
  assert.equal(new Set([plain, ...others].map(({ etag }) => etag)).size, 5);
  assert.equal(plain.modifiedMs, 1_772_600_767_000);
  assert.deepEqual(validatorsOf(10n, modifiedNs, null), plain);
});

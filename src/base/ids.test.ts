import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instanceId, randomText, requestId, secretToken } from './ids.ts';

test('ids have their form and do not repeat', () => {
  const seen = new Set<string>();
  for (let i = 0; i < 100_000; i++) seen.add(requestId());
  assert.equal(seen.size, 100_000);
  assert.match(requestId(), /^r_[0-9a-hjkmnp-tv-z]{20}$/);
  assert.match(instanceId(), /^i_[0-9a-hjkmnp-tv-z]{8}$/);
  assert.equal(Buffer.from(secretToken(), 'base64url').length, 32);
});

test('a text longer than the pool is still whole', () => {
  assert.equal(randomText(10_000).length, 10_000);
});

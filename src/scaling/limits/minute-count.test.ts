import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MinuteCount } from './minute-count.ts';

test('what happened within the last minute is counted, and nothing older', () => {
  const count = new MinuteCount();
  assert.equal(count.total(0), 0);
  for (let ms = 0; ms < 60_000; ms += 1_000) count.add(ms);
  assert.equal(count.total(59_999), 60);
  assert.equal(count.total(70_000), 45);
  count.add(1_000_000);
  assert.equal(count.total(1_000_000), 1);
  assert.equal(count.total(1_100_000), 0);
});

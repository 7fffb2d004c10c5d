import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Release, ReleaseState } from '../../model/release.ts';
import { toRemove } from './retention.ts';

/** Newest first. */
function releases(...states: readonly ReleaseState[]): Release[] {
  return states.map((state, i) => ({ number: states.length - i, state }) as Release);
}

const healthy = (count: number): ReleaseState[] => Array.from({ length: count }, () => 'healthy');

test('the last five that came up are kept', () => {
  assert.deepEqual(toRemove(releases(...healthy(7)), new Set()), [2, 1]);
});

test('those that serve or have work are kept however old they are', () => {
  assert.deepEqual(toRemove(releases(...healthy(7)), new Set([1])), [2]);
});

test('failed ones take no place of those that one can go back to, and are bounded too', () => {
  const failed = Array.from({ length: 12 }, (): ReleaseState => 'failed');
  const all = releases(...failed, ...healthy(5));
  assert.deepEqual(toRemove(all, new Set()), [7, 6]);
});

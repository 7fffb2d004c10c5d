import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heapFlags } from './heap-flags.ts';

const MB = 1024 * 1024;

test('the heap fits into the memory that an instance may have', () => {
  assert.deepEqual(heapFlags(128 * MB), ['--max-old-space-size=80', '--max-semi-space-size=8']);
  assert.deepEqual(heapFlags(1024 * MB), ['--max-old-space-size=952', '--max-semi-space-size=16']);
  assert.deepEqual(heapFlags(16 * MB), ['--max-old-space-size=16', '--max-semi-space-size=1']);
});

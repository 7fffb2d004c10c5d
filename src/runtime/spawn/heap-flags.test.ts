import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heapFlags } from './heap-flags.ts';

const MB = 1024 * 1024;

test('the heap fits into the memory that an instance may have', () => {
  const sizes = (memoryBytes: number): string[] => heapFlags(memoryBytes).slice(0, 3);
  const flags = (old: number, most: number, first: number): string[] => [
    `--max-old-space-size=${old}`,
    `--max-semi-space-size=${most}`,
    `--min-semi-space-size=${first}`,
  ];
  assert.deepEqual(sizes(128 * MB), flags(80, 8, 4));
  assert.deepEqual(sizes(1024 * MB), flags(952, 16, 4));
  assert.deepEqual(sizes(16 * MB), flags(16, 1, 1));
});

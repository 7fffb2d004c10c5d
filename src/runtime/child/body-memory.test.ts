import assert from 'node:assert/strict';
import { test } from 'node:test';
import { giveBack, memoryFor } from './body-memory.ts';

const MB = 1024 * 1024;

test('memory that is given back is had again, for whatever fits into it', () => {
  const first = memoryFor(100_000);
  assert.equal(first.length, 100_000);
  giveBack(first);
  const second = memoryFor(131_072);
  assert.ok(second.buffer === first.buffer);
  assert.equal(second.length, 131_072);
  assert.ok(memoryFor(100_000).buffer !== second.buffer, 'it is given to one at a time');
});

test('what is not of it is not taken in', () => {
  const strange = new Uint8Array(64 * 1024);
  giveBack(strange);
  assert.ok(memoryFor(64 * 1024).buffer !== strange.buffer);
  giveBack(memoryFor(10));
  const huge = memoryFor(5 * MB);
  giveBack(huge);
  assert.ok(memoryFor(5 * MB).buffer !== huge.buffer);
});

test('no more than 8 MB are kept', () => {
  const blocks = Array.from({ length: 20 }, () => memoryFor(MB));
  for (const block of blocks) giveBack(block);
  const buffers = new Set(blocks.map(({ buffer }) => buffer));
  const again = Array.from({ length: 20 }, () => memoryFor(MB)).filter(({ buffer }) => buffers.has(buffer));
  assert.ok(again.length <= 8, `${again.length} MB were kept`);
  assert.ok(again.length >= 4);
});

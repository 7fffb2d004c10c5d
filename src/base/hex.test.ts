import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wordHex } from './hex.ts';

test('a word is 8 digits, the highest first, with its leading zeros and its highest bit', () => {
  const words = [0, 1, 0x0a_0b_0c_0d, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
  assert.deepEqual(words.map(wordHex), [
    '00000000',
    '00000001',
    '0a0b0c0d',
    '7fffffff',
    '80000000',
    'ffffffff',
  ]);
});

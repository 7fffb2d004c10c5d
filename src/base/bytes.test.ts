import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, parseBytes } from './bytes.ts';

test('reads sizes with their unit, and nothing else', () => {
  const table: [string, number | null][] = [
    ['128MB', 134_217_728],
    ['1.5gb', 1_610_612_736],
    ['10 KB', 10_240],
    ['0B', 0],
    ['128', null],
    ['MB', null],
    ['-1MB', null],
    ['1TB', null],
    ['99999999999GB', null],
  ];
  for (const [text, expected] of table) assert.equal(parseBytes(text), expected, text);
});

test('writes sizes as a person would', () => {
  assert.equal(formatBytes(512), '512 B');
  assert.equal(formatBytes(1_536), '1.5 KB');
  assert.equal(formatBytes(134_217_728), '128 MB');
  assert.equal(formatBytes(1_610_612_736), '1.5 GB');
});

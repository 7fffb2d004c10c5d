import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from './duration.ts';

test('reads durations with their unit, and nothing else', () => {
  const table: [string, number | null][] = [
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5h', 5_400_000],
    ['1h30m', 5_400_000],
    [' 2m ', 120_000],
    ['14d', 1_209_600_000],
    ['0s', 0],
    ['30', null],
    ['', null],
    ['s', null],
    ['-1s', null],
    ['1 s', null],
    ['1w', null],
    ['1e3s', null],
    ['99999999999999d', null],
  ];
  for (const [text, expected] of table) assert.equal(parseDuration(text), expected, text);
});

test('writes durations as a person would', () => {
  const table: [number, string][] = [
    [0, '0ms'],
    [2.34, '2.3ms'],
    [850, '850ms'],
    [2_500, '2.5s'],
    [180_000, '3m'],
    [26 * 3_600_000, '26h'],
    [14 * 86_400_000, '14d'],
  ];
  for (const [ms, expected] of table) assert.equal(formatDuration(ms), expected);
});

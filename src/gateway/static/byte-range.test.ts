import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRange } from './byte-range.ts';

const table: [string, number, ReturnType<typeof readRange>][] = [
  ['bytes=0-4', 10, { first: 0, last: 4 }],
  ['bytes=4-', 10, { first: 4, last: 9 }],
  ['bytes=-3', 10, { first: 7, last: 9 }],
  ['bytes=-99', 10, { first: 0, last: 9 }],
  ['bytes=5-99', 10, { first: 5, last: 9 }],
  ['Bytes=9-9', 10, { first: 9, last: 9 }],
  ['bytes=10-', 10, 'unsatisfiable'],
  ['bytes=-0', 10, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
  ['bytes=-5', 0, 'unsatisfiable'],
  ['bytes=0-1,3-4', 10, 'whole'],
  ['bytes=5-4', 10, 'whole'],
  ['bytes=-', 10, 'whole'],
  ['items=0-1', 10, 'whole'],
  ['nonsense', 10, 'whole'],
  ['bytes=99999999999999999999-', 10, 'whole'],
];
for (const [value, size, expected] of table) {
  test(`${value} of ${size}`, () => assert.deepEqual(readRange(value, size), expected));
}

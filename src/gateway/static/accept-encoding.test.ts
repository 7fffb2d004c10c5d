import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedCodings } from './accept-encoding.ts';

const table: [string | undefined, string[]][] = [
  [undefined, []],
  ['', []],
  ['gzip', ['gzip']],
  ['x-gzip', ['gzip']],
  ['gzip, deflate, br, zstd', ['br', 'zstd', 'gzip']],
  ['br;q=0.5, gzip', ['gzip', 'br']],
  ['BR;Q=0, gzip;q=0.1', ['gzip']],
  ['*', ['br', 'zstd', 'gzip']],
  ['*;q=0', []],
  ['*, br;q=0', ['zstd', 'gzip']],
  ['identity, gzip;q=0.5', []],
  ['gzip;q=nonsense', []],
];
for (const [value, expected] of table) {
  test(`Accept-Encoding: ${value ?? '(none)'}`, () => {
    assert.deepEqual(
      acceptedCodings(value).map(({ name }) => name),
      expected,
    );
  });
}

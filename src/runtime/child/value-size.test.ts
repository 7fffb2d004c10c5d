import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FulcrumError } from '../../base/errors.ts';
import { MAX_PAYLOAD_BYTES } from '../wire/limits.ts';
import { makeValue, valueRecipes } from './testing/value-arbitrary.ts';
import { cloneValue, packValue } from './values.ts';
import { snapshotOf } from './value-snapshot.ts';

const MB = 1024 ** 2;
const FULL = process.env['FULCRUM_FULL'] !== undefined;
const seed = process.env['FULCRUM_SEED'];

test('no value takes more than it is said to take at most', () => {
  const fits = (make: () => unknown): void => {
    let bytes: Uint8Array;
    try {
      bytes = packValue(make(), 'result').bytes;
    } catch {
      return;
    }
    const { mostBytes } = snapshotOf(make(), 'clone');
    assert.ok(mostBytes >= bytes.length, `${mostBytes} of ${bytes.length}`);
  };
  fc.assert(
    fc.property(valueRecipes, (recipe) => fits(() => makeValue(recipe).value)),
    { numRuns: 3_000, ...(seed !== undefined && { seed: Number(seed) }) },
  );
  const odd = [
    '\0\x1f\u2028\ud800é€',
    '"\\',
    -Number.MIN_VALUE,
    2n ** 500n,
    Object.assign([], { 1: 1 }),
    { '\ud800\0': -0 },
  ];
  for (const value of odd) fits(() => [value, { value }, new Map([[value, value]]), new Set([value])]);
  for (const item of [1.5, -7, '€'.repeat(9), 2n ** 90n, null]) fits(() => Array(5_000).fill(item));
});

const GROWN: Readonly<Record<string, (count: number) => unknown>> = {
  letters: (count) => 'x'.repeat(count),
  'letters of three bytes': (count) => ({ text: '€'.repeat(count / 2) }),
  'numbers in a list': (count) => Array.from({ length: count / 8 }, (_, i) => i + 0.5),
  records: (count) => Array.from({ length: count / 20 }, (_, id) => ({ id, name: 'n' })),
  'names of properties': (count) =>
    Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${i}${'k'.repeat(count / 100)}`, 1])),
  'entries of a map': (count) => new Map(Array.from({ length: count / 16 }, (_, i) => [i, 'text'])),
  'members of a set': (count) => new Set(Array.from({ length: count / 8 }, (_, i) => i)),
  bytes: (count) => ({ part: new Uint8Array(new ArrayBuffer(count), 0, 10) }),
  'the message of an error': (count) => new Error('m'.repeat(count)),
  'a pattern': (count) => new RegExp('p'.repeat(count)),
  'a large integer': (count) => [1n << BigInt(count * 8)],
};

for (const [name, grown] of Object.entries(GROWN)) {
  test(`what is too large for the wire is refused within a process, with the same words: ${name}`, () => {
    const sizes = FULL ? [1 * MB, 4 * MB, 9 * MB, 12 * MB, 25 * MB] : [4 * MB, 25 * MB];
    const outcomes = sizes.map((count) => {
      const value = grown(count);
      const [packed, cloned] = [
        outcomeOf(() => packValue(value, 'arguments')),
        outcomeOf(() => cloneValue(value, 'arguments', () => [])),
      ];
      assert.equal(cloned, packed);
      return packed;
    });
    assert.equal(outcomes[0], 'crosses');
    assert.match(outcomes.at(-1)!, /^call-too-large: A call's arguments take more than the 10 MB/);
  });
}

test('it is to the byte', () => {
  for (const [length, ends] of [
    [MAX_PAYLOAD_BYTES - 2, 'crosses'],
    [MAX_PAYLOAD_BYTES - 1, 'call-too-large'],
  ] as const) {
    const value = 'x'.repeat(length);
    assert.match(
      outcomeOf(() => cloneValue(value, 'result', () => [])),
      new RegExp(`^${ends}`),
    );
    assert.match(
      outcomeOf(() => packValue(value, 'result')),
      new RegExp(`^${ends}`),
    );
  }
});

function outcomeOf(cross: () => unknown): string {
  try {
    cross();
    return 'crosses';
  } catch (error) {
    assert.ok(error instanceof FulcrumError);
    return `${error.code}: ${error.message}`;
  }
}

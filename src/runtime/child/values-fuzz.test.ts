import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Serializer } from 'node:v8';
import * as fc from 'fast-check';
import { FulcrumError } from '../../base/errors.ts';
import { damage, damages } from '../wire/testing/damage.ts';
import type { Incoming } from './crossing.ts';
import { difference } from './testing/same-value.ts';
import { makeValue, NODE_ALONE_CLONES, valueRecipes } from './testing/value-arbitrary.ts';
import { cloneValue, packValue, unpackValue } from './values.ts';

const RUNS = process.env['FULCRUM_FULL'] === undefined ? 3_000 : 100_000;
const seed = process.env['FULCRUM_SEED'];
const parameters = {
  numRuns: RUNS,
  includeErrorInReport: true,
  ...(seed !== undefined && { seed: Number(seed) }),
};

const WAYS: Readonly<Record<string, (value: unknown) => unknown>> = {
  'over the wire': (value) => unpackValue(packValue(value, 'result').bytes, []),
  'in the process': (value) => cloneValue(value, 'result', () => []),
};

for (const [name, cross] of Object.entries(WAYS)) {
  test(`a value is ${name} what structuredClone gives, or its error, ${RUNS} times`, () => {
    fc.assert(
      fc.property(valueRecipes, (recipe) => {
        const [theirs, ours] = [makeValue(recipe), makeValue(recipe)];
        const expected = attempt(() => structuredClone(theirs.value));
        const actual = attempt(() => cross(ours.value));
        if ('error' in actual) {
          const { error } = actual;
          assert.ok(error instanceof FulcrumError && error.code === 'call-not-cloneable', String(error));
          const stays = (value: unknown): boolean =>
            staysInProcess(value) || NODE_ALONE_CLONES.has(recipe.bad);
          if ('value' in expected) assert.ok(stays(expected.value), error.message);
          return;
        }
        if ('error' in expected)
          assert.fail(`what structuredClone refuses was let through: ${String(expected.error)}`);
        const described = (error: Error): unknown[] => {
          const kept = theirs.errors.get(error.message)!;
          return [kept.name, kept.code];
        };
        const shown = (error: Error): unknown[] => [error.name, (error as { code?: unknown }).code];
        // Of the reference what an error is to have is told by the recipe, of ours by the error itself.
        const reference = new Set<Error>();
        collectErrors(expected.value, reference);
        const found = difference(expected.value, actual.value, (error) =>
          reference.has(error) ? described(error) : shown(error),
        );
        assert.equal(found, null);
        assert.deepEqual(ours.calls, theirs.calls, 'each getter is called as often');
      }),
      parameters,
    );
  });
}

function attempt(code: () => unknown): { value: unknown } | { error: unknown } {
  try {
    return { value: code() };
  } catch (error) {
    return { error };
  }
}

function walk(value: unknown, seen: Set<object>): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Map || value instanceof Set) for (const item of value) walk(item, seen);
  else if (ArrayBuffer.isView(value)) walk(value.buffer, seen);
  else if (!(value instanceof ArrayBuffer))
    for (const key of Reflect.ownKeys(value)) walk(Reflect.get(value, key), seen);
}

function collectErrors(value: unknown, into: Set<Error>): void {
  const seen = new Set<object>();
  walk(value, seen);
  for (const one of seen) if (one instanceof Error) into.add(one);
}

/** Structured clone shares memory, and the platform's files are handles: neither can leave a process. */
function staysInProcess(value: unknown): boolean {
  const seen = new Set<object>();
  walk(value, seen);
  return [...seen].some((one) => one instanceof SharedArrayBuffer || one instanceof Blob);
}

test(`payloads that were damaged on their way are values or errors, ${RUNS} times`, () => {
  const signal = (): AbortSignal => new AbortController().signal;
  const incoming = (): Incoming => ({ stream: () => new ReadableStream(), signal });
  fc.assert(
    fc.property(valueRecipes, damages, (recipe, hurts) => {
      const made = attempt(() => {
        const places = [
          signal(),
          AbortSignal.abort(new Error('why')),
          new Map([[signal(), new ReadableStream()]]),
        ];
        return packValue([makeValue({ ...recipe, bad: -1 }).value, places], 'result').bytes;
      });
      if ('error' in made) return;
      const bytes = hurts.reduce(damage, Buffer.from(made.value as Uint8Array));
      const read = attempt(() => unpackValue(bytes, [incoming(), incoming(), incoming()]));
      if ('error' in read) assert.ok(read.error instanceof Error);
    }),
    parameters,
  );
});

test('marks that no snapshot has made are refused, and cannot take long', () => {
  const write = (value: unknown, marks: unknown): Uint8Array => {
    const serializer = new Serializer();
    serializer.writeHeader();
    serializer.writeValue(value);
    serializer.writeUint32(1);
    serializer.writeValue(marks);
    return serializer.releaseBuffer();
  };
  const none = { errors: [], stands: [], places: [] };
  const refused: unknown[] = [
    null,
    5,
    {},
    { ...none, errors: [[{}, 'Error', null]] },
    { ...none, errors: [[new Error('a'), 5, null]] },
    { ...none, stands: [['stream', 0]] },
    { ...none, stands: [['other', 0]] },
    { ...none, stands: [['exception', 'a', 5, null]] },
    { ...none, places: [[{}, 'a', 0]] },
    { ...none, places: [[{}, {}, 0]] },
    { ...none, places: [[5, 'a', 0]] },
  ];
  for (const marks of refused) assert.throws(() => unpackValue(write({}, marks), []), Error);
  // A property that is a setter on every object, and a Map of which each entry is replaced.
  const object = {};
  const map = new Map(Array.from({ length: 20_000 }, (_, i) => [i, i]));
  const stands = [['exception', 'AbortError', 'm', null]];
  const places = [[object, '__proto__', 0], ...Array.from(map.keys(), (i) => [map, 2 * i + 1, 0])];
  const [back, backMap] = unpackValue(write([object, map], { ...none, stands, places }), []) as [
    object,
    typeof map,
  ];
  assert.equal(Object.getPrototypeOf(back), Object.prototype);
  assert.deepEqual([...backMap.keys()], [...map.keys()]);
  assert.equal({}.constructor, Object);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import { decodeValue, encodeValue } from '../child/values.ts';
import { asEnginesFormat, isTextValue } from './text-value.ts';

const encoded = (value: unknown): Uint8Array => encodeValue(value, 'clone', 'arguments');

const TWICE = { a: 1 };
const OWN_PROTO: unknown = JSON.parse('{"__proto__": {"a": 1}, "b": "\\ud800"}');

test('what JSON tells wholly crosses as text, and comes back as it was', () => {
  for (const value of [
    [{ sku: 'KA-01', quantity: 2 }],
    { list: [1, 'x', true, null, [], {}], nested: { 2: 'b', 1: 'a', z: -1.5e300 } },
    'größe\0\u{1F600}',
    OWN_PROTO,
    7,
    null,
    undefined,
  ]) {
    const bytes = encoded(value);
    assert.ok(isTextValue(bytes));
    assert.deepStrictEqual(decodeValue(bytes, 'clone'), structuredClone(value));
  }
});

test('what JSON would change crosses in the format of the engine', () => {
  const withDate = { at: new Date(0) };
  const disguised: unknown = Object.setPrototypeOf(new Map([[1, 2]]), Object.prototype);
  const extra: unknown[] = Object.assign([1], { note: 'x' });
  const sparse: unknown[] = [];
  sparse[2] = 1;
  for (const value of [
    [-0],
    { nan: NaN },
    [Infinity],
    { gone: undefined },
    [undefined],
    1n,
    [TWICE, TWICE],
    withDate,
    new Map([[1, 2]]),
    new Set([1]),
    new Uint8Array(3),
    disguised,
    extra,
    sparse,
    Object(1),
    new Error('x'),
  ]) {
    const bytes = encoded(value);
    assert.ok(!isTextValue(bytes));
    assert.deepStrictEqual(decodeValue(bytes, 'clone'), structuredClone(value));
  }
});

test('a library that has taught all objects or lists to write themselves changes nothing', (t) => {
  for (const prototype of [Object.prototype, Array.prototype] as const) {
    Object.defineProperty(prototype, 'toJSON', { value: () => 'changed', configurable: true });
    t.after(() => Reflect.deleteProperty(prototype, 'toJSON'));
    assert.deepStrictEqual(decodeValue(encoded([{ a: 1 }]), 'clone'), [{ a: 1 }]);
    Reflect.deleteProperty(prototype, 'toJSON');
  }
});

test('text is told in the format of the engine to whoever knows no other', () => {
  for (const value of [[{ a: 1 }], undefined, 5, [new Date(0)]])
    assert.deepStrictEqual(deserialize(asEnginesFormat(encoded(value))), value);
  for (const nothing of ['{', '['.repeat(1_000_000)])
    assert.equal(String(asEnginesFormat(Buffer.from(nothing))), nothing);
  const engines = serialize([new Date(0)]);
  assert.equal(asEnginesFormat(engines), engines);
});

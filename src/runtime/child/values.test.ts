import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import * as fc from 'fast-check';
import { decodeValue, encodeValue } from './values.ts';

const roundTrip = (value: unknown, encoding: 'clone' | 'json' = 'clone'): unknown =>
  decodeValue(encodeValue(value, encoding, 'result'), encoding);

test('any value comes back as structured clone would give it, and plain v8.deserialize reads it too', () => {
  fc.assert(
    fc.property(
      fc.anything({
        withDate: true,
        withMap: true,
        withSet: true,
        withTypedArray: true,
        withBigInt: true,
        withSparseArray: true,
      }),
      (value) => {
        assert.deepEqual(roundTrip(value), deserialize(serialize(value)));
        assert.deepEqual(
          deserialize(Buffer.from(encodeValue(value, 'clone', 'result'))),
          deserialize(serialize(value)),
        );
      },
    ),
  );
});

test('JSON comes back as JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) =>
      assert.deepEqual(roundTrip(value, 'json'), JSON.parse(JSON.stringify(value))),
    ),
  );
  assert.equal(roundTrip(undefined, 'json'), null);
});

test('errors keep name, code, cause and their places, wherever they stand', () => {
  const error = (name: string, code: string | number): Error =>
    Object.assign(new Error(`of ${name}`), { name, code });
  const shared = Object.assign(new Error('shared', { cause: error('Below', 1) }), { code: 'E_SHARED' });
  const value = {
    list: [error('First', 'E_1'), shared],
    map: new Map([['k', error('InMap', 'E_2')]]),
    shared,
    self: {},
  };
  value.self = value;
  const back = roundTrip(value) as typeof value;
  assert.deepEqual(
    [back.list[0]!.name, back.list[0]!.message, back.map.get('k')!.name, (back.shared.cause as Error).name],
    ['First', 'of First', 'InMap', 'Below'],
  );
  assert.equal((back.shared as { code?: unknown }).code, 'E_SHARED');
  assert.equal(back.shared, back.list[1]);
  assert.equal(back.self, back);
});

test('what cannot be cloned is named by its place', () => {
  const cases: [unknown, RegExp][] = [
    [{ items: [{}, { onClick() {} }] }, /the result\.items\[1\]\.onClick/],
    [{ 'a-b': Symbol('x') }, /the result\["a-b"\]/],
    [new Map([['k', Promise.resolve()]]), /the result\.get\(…\)/],
    [() => 1, /the result is/],
  ];
  for (const [value, message] of cases) {
    assert.throws(() => encodeValue(value, 'clone', 'result'), { code: 'call-not-cloneable', message });
  }
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  assert.throws(() => encodeValue(circular, 'json', 'result'), {
    code: 'call-not-cloneable',
    message: /circular/,
  });
});

test('bytes that nobody has encoded are an error, not a crash', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeValue(Buffer.concat([Buffer.from([0xff, 0x0f]), bytes]), 'clone');
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
  );
});

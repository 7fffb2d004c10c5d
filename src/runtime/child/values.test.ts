import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import * as fc from 'fast-check';
import { asEnginesFormat } from '../wire/text-value.ts';
import { cloneValue, decodeValue, encodeValue } from './values.ts';

const roundTrip = (value: unknown, encoding: 'clone' | 'json' = 'clone'): unknown =>
  decodeValue(encodeValue(value, encoding, 'result'), encoding);

test('any value comes back as structured clone would give it, and plain v8.deserialize what an older instance gets', () => {
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
          deserialize(asEnginesFormat(encodeValue(value, 'clone', 'result'))),
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

test('what belongs to the platform stays in its process, and is named by its place and class', () => {
  class OwnTarget extends EventTarget {
    x = 1;
  }
  const cases: [unknown, string][] = [
    [new URL('http://a/'), 'a URL'],
    [new Headers(), 'a Headers'],
    [new Response(''), 'a Response'],
    [new Blob(['a']), 'a Blob'],
    [new File(['a'], 'a'), 'a File'],
    [new EventTarget(), 'a EventTarget'],
    [new OwnTarget(), 'a OwnTarget'],
    [new AbortController(), 'a AbortController'],
    [new WritableStream(), 'a WritableStream'],
    [new MessageChannel().port1, 'a MessagePort'],
    [createSecretKey(Buffer.alloc(16)), 'a SecretKeyObject'],
    [new SharedArrayBuffer(1), 'shared memory'],
    [new Uint8Array(new SharedArrayBuffer(1)), 'shared memory'],
    [new TextEncoder(), 'a TextEncoder'],
    [new Proxy({}, {}), 'a Proxy'],
  ];
  for (const [value, what] of cases) {
    const expected = {
      code: 'call-not-cloneable',
      message: new RegExp(`the result\\.items\\[0\\] .*: ${what}\\.`),
    };
    assert.throws(() => encodeValue({ items: [value] }, 'clone', 'result'), expected);
    assert.throws(() => cloneValue({ items: [value] }, 'result', () => []), expected);
  }
});

test('streams and signals have no JSON, where other objects say what theirs is', () => {
  for (const value of [new ReadableStream(), new AbortController().signal]) {
    assert.throws(() => encodeValue({ a: [value] }, 'json', 'result'), {
      code: 'call-not-cloneable',
      message: /JSON cannot hold/,
    });
  }
  assert.equal(roundTrip(new URL('http://a/'), 'json'), 'http://a/');
});

test('an exception of the platform stays one', () => {
  for (const cross of [(v: unknown) => roundTrip(v), (v: unknown) => cloneValue(v, 'result', () => [])]) {
    const exception = new DOMException('took too long', 'TimeoutError');
    const back = cross({ a: exception, list: [exception], cause: new Error('x', { cause: exception }) }) as {
      a: DOMException;
      list: DOMException[];
      cause: Error;
    };
    assert.ok(back.a instanceof DOMException && back.a !== exception);
    assert.deepEqual([back.a.name, back.a.message, back.a.code], ['TimeoutError', 'took too long', 23]);
    assert.equal(back.list[0], back.a);
    assert.equal(back.cause.cause, back.a);
  }
});

test('what is nested too deep is an error and no crash', () => {
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  for (const cross of [(v: unknown) => roundTrip(v), (v: unknown) => cloneValue(v, 'result', () => [])]) {
    assert.throws(() => cross(deep), { code: 'call-not-cloneable', message: /nested more than 1000 deep/ });
  }
  let list: unknown = null;
  for (let i = 0; i < 900; i++) list = { list };
  assert.deepEqual(roundTrip(list), list);
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { FulcrumError } from '../base/errors.ts';
import { eventOf } from './event.ts';

const MB = 1024 ** 2;

class Order {
  readonly id = 'o-1';
}

class Money {
  readonly #cents = 1990;
  toJSON(): number {
    return this.#cents;
  }
}

function refusal(type: unknown, data?: unknown, options?: object): string {
  try {
    eventOf(type, data, options);
  } catch (error) {
    assert.ok(error instanceof FulcrumError);
    assert.equal(error.code, 'event-invalid');
    return error.message;
  }
  return assert.fail('it was accepted');
}

describe('an event that is published', () => {
  it('carries its data as JSON, and all that was said of it', () => {
    assert.deepEqual(eventOf('order.paid', { order: 'o-1', at: new Date(0), note: undefined }), {
      type: 'order.paid',
      data: '{"order":"o-1","at":"1970-01-01T00:00:00.000Z"}',
      contentType: 'application/json',
      key: null,
      delayMs: 0,
      dedupe: null,
      subject: null,
    });
    const { data: _, ...rest } = eventOf('a', null, { key: 'k', delay: '1.5s', dedupe: 'd', subject: 's' });
    assert.deepEqual(rest, {
      type: 'a',
      contentType: 'application/json',
      key: 'k',
      delayMs: 1_500,
      dedupe: 'd',
      subject: 's',
    });
    assert.equal(eventOf('a', 1, { delay: 0.2 }).delayMs, 1);
    for (const contentType of [
      'application/vnd.shop+json; v=1',
      'text/json',
      'model/gltf+json;v=1',
      'Application/JSON;x=1',
    ])
      assert.equal(eventOf('a', {}, { contentType }).data, '{}');
    for (const contentType of [
      'application/jsonl',
      'application/json-seq',
      'text/plain;x=+json',
      'text/xjson',
    ])
      assert.throws(() => eventOf('a', {}, { contentType }), { code: 'event-invalid' });
  });

  it('has any data that JSON says without loss', () => {
    const nested: unknown = runInNewContext('({ list: [1, null, "x"], more: { a: true } })');
    const table: [unknown, string][] = [
      [undefined, 'null'],
      [null, 'null'],
      ['', '""'],
      [0.5, '0.5'],
      [false, 'false'],
      [[], '[]'],
      [Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
      [{ price: new Money(), hidden: { toJSON: () => undefined } }, '{"price":1990}'],
      [nested, '{"list":[1,null,"x"],"more":{"a":true}}'],
      [{ '': { '': 1 }, __proto__: null }, '{"":{"":1}}'],
    ];
    for (const [data, expected] of table) assert.equal(eventOf('a', data).data, expected);
    const twice = { a: 1 };
    assert.equal(eventOf('a', { x: twice, y: [twice, twice] }).data, '{"x":{"a":1},"y":[{"a":1},{"a":1}]}');
  });

  it('has bytes as they were when it was published', () => {
    const bytes = new Uint8Array([1, 2, 3, 4]);
    const view = new Uint16Array(bytes.buffer, 2, 1);
    const events = [bytes, bytes.buffer, view, Buffer.from(bytes)].map((data) => eventOf('a', data));
    bytes.fill(9);
    assert.deepEqual(
      events.map(({ data }) => [...(data as Uint8Array)]),
      [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
        [3, 4],
        [1, 2, 3, 4],
      ],
    );
    assert.equal(events[0]!.contentType, 'application/octet-stream');
    assert.equal(eventOf('a', bytes, { contentType: 'image/png' }).contentType, 'image/png');
  });

  it('is refused with the place where its data would lose something', () => {
    const cycle: Record<string, unknown> = { a: [{}] };
    (cycle['a'] as object[])[0] = cycle;
    const table: [unknown, RegExp][] = [
      [{ a: [1, undefined] }, /its data\.a\[1\] is undefined, which a list cannot hold/],
      [Object.assign([], { length: 2 }), /data\[0\] is undefined/],
      [() => 1, /its data is a function/],
      [{ 'no name': { f() {} } }, /data\["no name"\]\.f is a function/],
      [{ a: Symbol('x') }, /data\.a is a symbol/],
      [{ cents: 1n }, /data\.cents is a BigInt/],
      [{ a: NaN }, /data\.a is NaN/],
      [-Infinity, /data is -Infinity/],
      [{ at: new Date(NaN) }, /data\.at is a Date without a time/],
      [{ a: new Map([[1, 2]]) }, /data\.a is a Map; give it as a plain object or list/],
      [new Set(), /data is a Set/],
      [{ order: new Order() }, /data\.order is a Order/],
      [{ cause: new Error('x') }, /data\.cause is a Error/],
      [{ image: new Uint8Array(2) }, /data\.image is bytes, which can only be the whole/],
      [{ image: Buffer.from('x') }, /data\.image is bytes/],
      [cycle, /data\.a\[0\] holds what it is itself held by/],
      [{ deep: { first: { a: 1 }, second: [{ b: NaN }] } }, /data\.deep\.second\[0\]\.b is NaN/],
      [
        {
          get broken(): never {
            throw new Error('no such field');
          },
        },
        /no such field/,
      ],
    ];
    for (const [data, expected] of table) assert.match(refusal('order.paid', data), expected);
    assert.match(
      refusal('order.paid', () => 1),
      /^The event order\.paid cannot be published: /,
    );
  });

  it('is refused where anything else of it cannot be', () => {
    const table: [unknown, object | undefined, RegExp][] = [
      [undefined, undefined, /its type is a undefined; 1 to 100 letters/],
      ['', undefined, /its type is ""/],
      ['order paid', undefined, /"order paid"/],
      ['order.*', undefined, /"order\.\*"/],
      ['x'.repeat(101), undefined, /its type is "x{100}"/],
      ['a', { dedup: 'x' }, /no option 'dedup', but key, delay, dedupe/],
      ['a', { key: 5 }, /its key is a number, and must be a string/],
      ['a', { key: '' }, /its key must have 1 to 256 characters/],
      ['a', { key: 'k'.repeat(257) }, /1 to 256/],
      ['a', { dedupe: 'a\0b' }, /its dedupe must .* without NUL/],
      ['a', { subject: '\ud800' }, /its subject must have 1 to 1024 characters, and be sound Unicode/],
      ['a', { delay: '30' }, /its delay is "30"; a duration such as '30s'/],
      ['a', { delay: -1 }, /its delay is -1/],
      ['a', { delay: NaN }, /its delay is NaN/],
      ['a', { delay: null }, /its delay is null/],
      ['a', { delay: '366d' }, /365d at most/],
      ['a', { contentType: 'png' }, /its contentType is no media type/],
      ['a', { contentType: 'text/plain\r\nx: y' }, /no media type/],
      ['a', { contentType: 'text/plain' }, /its contentType is text\/plain, and its data no bytes/],
    ];
    for (const [type, options, expected] of table) assert.match(refusal(type, {}, options), expected);
  });

  it('has 1 MB of data at most, counted as it is sent', () => {
    assert.equal(eventOf('a', 'x'.repeat(MB - 2)).data.length, MB);
    assert.match(refusal('a', 'x'.repeat(MB - 1)), /more than 1 MB/);
    assert.match(refusal('a', 'ü'.repeat(MB / 2)), /more than 1 MB/);
    assert.equal(eventOf('a', new Uint8Array(MB)).data.length, MB);
    assert.match(refusal('a', new Uint8Array(MB + 1)), /more than 1 MB/);
  });
});

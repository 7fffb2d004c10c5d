import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FulcrumError, type ErrorCode } from '../../base/errors.ts';
import type { EventOrder } from '../../model/event.ts';
import { BATCHED_TYPE, MAX_CLOUD_EVENTS_BYTES, readCloudEvents, STRUCTURED_TYPE } from './read.ts';

type Fields = Readonly<Record<string, string>>;

const NEEDED: Fields = {
  'ce-specversion': '1.0',
  'ce-id': 'A-1',
  'ce-source': '/orders',
  'ce-type': 'order.paid',
};
const EVENT = { specversion: '1.0', id: 'A-1', source: '/orders', type: 'order.paid' };

/** What {@link NEEDED} and {@link EVENT} are, with no content. */
const ORDER: EventOrder = {
  type: 'order.paid',
  data: Buffer.from('null'),
  contentType: 'application/json',
  key: null,
  delayMs: 0,
  dedupe: null,
  id: 'A-1',
  source: '/orders',
  subject: null,
  timeMs: null,
  extensions: {},
};

function binary(fields: Fields, body: string | Uint8Array = '', contentType: string | null = null) {
  return () => readCloudEvents(contentType, Object.entries(fields).flat(), bytes(body));
}

function structured(event: unknown, type: string = STRUCTURED_TYPE) {
  const body = typeof event === 'string' || event instanceof Uint8Array ? event : JSON.stringify(event);
  return () => readCloudEvents(type, [], bytes(body));
}

function batched(events: unknown) {
  return structured(events, BATCHED_TYPE);
}

function bytes(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body;
}

/** The JSON of {@link EVENT} with more of it as it is written. */
function written(more: string): string {
  return `${JSON.stringify(EVENT).slice(0, -1)},${more}}`;
}

function many<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

function json(data: string): Partial<EventOrder> {
  return { data: Buffer.from(data) };
}

const GOOD: readonly [string, () => readonly EventOrder[], readonly Partial<EventOrder>[]][] = [
  ['binary, nothing but what is needed', binary(NEEDED), [{}]],
  [
    'binary, field names in capitals',
    binary(Object.fromEntries(Object.entries(NEEDED).map(([name, value]) => [name.toUpperCase(), value]))),
    [{}],
  ],
  ['binary, JSON', binary(NEEDED, '{"a":1}', 'application/json'), [json('{"a":1}')]],
  [
    'binary, JSON of another name, kept as it was written',
    binary(NEEDED, ' {"a" : 1.50} ', 'application/vnd.a+json; charset="UTF-8"'),
    [{ ...json(' {"a" : 1.50} '), contentType: 'application/vnd.a+json; charset="UTF-8"' }],
  ],
  [
    'binary, bytes',
    binary(NEEDED, new Uint8Array([0, 255]), 'image/png'),
    [{ data: new Uint8Array([0, 255]), contentType: 'image/png' }],
  ],
  [
    'binary, bytes of which nothing is said',
    binary(NEEDED, 'x'),
    [{ data: Buffer.from('x'), contentType: 'application/octet-stream' }],
  ],
  [
    'binary, text without any',
    binary(NEEDED, '', 'text/plain'),
    [{ data: new Uint8Array(0), contentType: 'text/plain' }],
  ],
  ['binary, JSON without any', binary(NEEDED, '', 'application/json'), [{}]],
  [
    'binary, percent-encoded text',
    binary({ ...NEEDED, 'ce-subject': 'Euro%20%E2%82%AC%20%F0%9F%98%80' }),
    [{ subject: 'Euro € 😀' }],
  ],
  ['binary, lower-case hexadecimal', binary({ ...NEEDED, 'ce-subject': '%e2%82%ac' }), [{ subject: '€' }]],
  ['binary, encoded though it need not be', binary({ ...NEEDED, 'ce-subject': '%41B' }), [{ subject: 'AB' }]],
  ['binary, decoded once only', binary({ ...NEEDED, 'ce-subject': '%2541' }), [{ subject: '%41' }]],
  [
    'binary, a quoted value as older senders have it',
    binary({ ...NEEDED, 'ce-subject': '"a \\"b\\" %25"' }),
    [{ subject: 'a "b" %' }],
  ],
  ['binary, spaces around a value', binary({ ...NEEDED, 'ce-subject': '  a b\t' }), [{ subject: 'a b' }]],
  [
    'binary, a source whose sender has not encoded it',
    binary({ ...NEEDED, 'ce-source': 'https://a.test/x%20y' }),
    [{ source: 'https://a.test/x%20y' }],
  ],
  [
    'binary, a source that is encoded',
    binary({ ...NEEDED, 'ce-source': 'https://a.test/x%2520y' }),
    [{ source: 'https://a.test/x%20y' }],
  ],
  [
    'binary, extensions',
    binary({ ...NEEDED, 'ce-sequence': '00042', 'ce-constructor': 'x', 'x-other': 'y' }),
    [{ extensions: { sequence: '00042', constructor: 'x' } }],
  ],
  ['binary, a key', binary({ ...NEEDED, 'ce-partitionkey': 'c-7' }), [{ key: 'c-7' }]],
  ['binary, time', binary({ ...NEEDED, 'ce-time': '1970-01-01T00:00:01.5Z' }), [{ timeMs: 1_500 }]],
  [
    'binary, time elsewhere',
    binary({ ...NEEDED, 'ce-time': '1970-01-01t01:00:00.123456789+00:30' }),
    [{ timeMs: 1_800_123 }],
  ],
  [
    'binary, a leap second',
    binary({ ...NEEDED, 'ce-time': '2016-12-31T23:59:60Z' }),
    [{ timeMs: Date.UTC(2016, 11, 31, 23, 59, 59, 999) }],
  ],
  [
    'binary, a day that only leap years have',
    binary({ ...NEEDED, 'ce-time': '2024-02-29T00:00:00Z' }),
    [{ timeMs: Date.UTC(2024, 1, 29) }],
  ],
  ['structured, nothing but what is needed', structured(EVENT), [{}]],
  ['structured, with a charset', structured(EVENT, 'Application/CloudEvents+JSON; charset=UTF-8'), [{}]],
  ['structured, space around it', structured(` \n${JSON.stringify(EVENT)}\t`), [{}]],
  [
    'structured, fields beside it do not count',
    () => readCloudEvents(STRUCTURED_TYPE, ['ce-id', 'other'], bytes(JSON.stringify(EVENT))),
    [{}],
  ],
  [
    'structured, data as it was written',
    structured(written('"data": { "big": 12345678901234567890, "n": 1.0, "n": 2 } ')),
    [json('{ "big": 12345678901234567890, "n": 1.0, "n": 2 }')],
  ],
  ['structured, data null', structured({ ...EVENT, data: null }), [{}]],
  ['structured, a JSON text', structured({ ...EVENT, data: '{"a":1}' }), [json('"{\\"a\\":1}"')]],
  [
    'structured, text of another type',
    structured({ ...EVENT, datacontenttype: 'application/xml', data: '<a>€</a>' }),
    [{ contentType: 'application/xml', data: Buffer.from('<a>€</a>') }],
  ],
  [
    'structured, Base64',
    structured({ ...EVENT, datacontenttype: 'image/png', data_base64: 'AP8=' }),
    [{ contentType: 'image/png', data: Buffer.from([0, 255]) }],
  ],
  ['structured, JSON in Base64', structured({ ...EVENT, data_base64: 'WzFd' }), [json('[1]')]],
  [
    'structured, what is null is not there',
    structured({ ...EVENT, subject: null, time: null, dataschema: null, foo: null, data_base64: null }),
    [{}],
  ],
  [
    'structured, extensions of each type',
    structured({ ...EVENT, a1: true, a2: -2_147_483_648, a3: '', dataschema: 'https://a.test/s' }),
    [{ extensions: { a1: true, a2: -2_147_483_648, a3: '', dataschema: 'https://a.test/s' } }],
  ],
  ['structured, names written with escapes', structured(written('"s\\u0075bject":"x"')), [{ subject: 'x' }]],
  [
    'structured, braces and quotes in texts',
    structured(written('"a1":"}\\\\\\"{","data":["]\\\\","\\"}"]')),
    [{ extensions: { a1: '}\\"{' }, ...json('["]\\\\","\\"}"]') }],
  ],
  [
    'structured, 128 lists in one another',
    structured(written(`"data":${'['.repeat(128)}${']'.repeat(128)}`)),
    [json('['.repeat(128) + ']'.repeat(128))],
  ],
  [
    'a source that is longer than a key may be',
    structured({ ...EVENT, source: `/${'a'.repeat(300)}` }),
    [
      {
        source: `/${'a'.repeat(300)}`,
      },
    ],
  ],
  ['batched, none', batched([]), []],
  ['batched, several', batched([EVENT, { ...EVENT, id: 'A-2' }]), [{}, { id: 'A-2' }]],
  [
    'batched, of several content types',
    batched([
      { ...EVENT, data: 1 },
      { ...EVENT, datacontenttype: 'text/plain', data: 'x' },
    ]),
    [json('1'), { contentType: 'text/plain', data: Buffer.from('x') }],
  ],
  ['batched, a thousand', batched(many(1_000, EVENT)), many(1_000, {})],
];

for (const [name, read, expected] of GOOD) {
  test(`taken: ${name}`, () => {
    const orders = read();
    assert.equal(orders.length, expected.length);
    expected.forEach((changes, i) => {
      const { data, ...rest } = orders[i]!;
      const { data: wantedData, ...wanted } = { ...ORDER, ...changes };
      assert.deepEqual(rest, wanted);
      assert.equal(Buffer.from(data).toString('latin1'), Buffer.from(wantedData).toString('latin1'));
    });
  });
}

function without(name: string): Fields {
  return Object.fromEntries(Object.entries(NEEDED).filter(([field]) => field !== `ce-${name}`));
}

function invalid(...words: readonly (string | RegExp)[]): Expected {
  return { code: 'event-invalid', words };
}

interface Expected {
  readonly code: ErrorCode;
  readonly words: readonly (string | RegExp)[];
}

const UNSUPPORTED: Expected = { code: 'media-type-unsupported', words: ['application/cloudevents+json'] };
const TOO_LARGE: Expected = { code: 'body-too-large', words: [/at most/] };
const twice: readonly string[] = [...Object.entries(NEEDED).flat(), 'CE-ID', 'B-2'];

const BAD: readonly [string, () => unknown, Expected][] = [
  // What is missing.
  [
    'binary without specversion',
    binary(without('specversion')),
    invalid('"specversion"', 'found nothing', '"1.0"'),
  ],
  ['binary without id', binary(without('id')), invalid('"id"', 'found nothing')],
  ['binary without source', binary(without('source')), invalid('"source"', 'found nothing')],
  ['binary without type', binary(without('type')), invalid('"type"', 'found nothing')],
  [
    'structured without specversion',
    structured({ ...EVENT, specversion: undefined }),
    invalid('"specversion"', 'nothing'),
  ],
  ['structured without id', structured({ ...EVENT, id: undefined }), invalid('"id"', 'nothing')],
  ['structured without source', structured({ ...EVENT, source: undefined }), invalid('"source"', 'nothing')],
  ['structured without type', structured({ ...EVENT, type: undefined }), invalid('"type"', 'nothing')],
  ['structured, id null', structured({ ...EVENT, id: null }), invalid('"id"', 'nothing')],
  ['binary, an empty id', binary({ ...NEEDED, 'ce-id': '' }), invalid('"id"', '""')],
  ['structured, an empty type', structured({ ...EVENT, type: '' }), invalid('"type"', '""')],
  // Versions.
  [
    'specversion 0.3',
    binary({ ...NEEDED, 'ce-specversion': '0.3' }),
    invalid('"specversion"', 'found "0.3"', 'expected "1.0"'),
  ],
  ['specversion 1.1', structured({ ...EVENT, specversion: '1.1' }), invalid('"specversion"', '"1.1"')],
  [
    'specversion as a number',
    structured({ ...EVENT, specversion: 1 }),
    invalid('"specversion"', 'the value 1'),
  ],
  // Types of attributes.
  ['id as a number', structured({ ...EVENT, id: 7 }), invalid('"id"', 'the value 7')],
  ['type as a truth value', structured({ ...EVENT, type: true }), invalid('"type"', 'the value true')],
  ['source as a list', structured({ ...EVENT, source: ['/a'] }), invalid('"source"', 'a list')],
  ['subject as an object', structured({ ...EVENT, subject: {} }), invalid('"subject"', 'an object')],
  ['subject as a number', structured({ ...EVENT, subject: 1 }), invalid('"subject"', 'the value 1')],
  ['an empty subject', binary({ ...NEEDED, 'ce-subject': '' }), invalid('"subject"', '""')],
  ['time as a number', structured({ ...EVENT, time: 1 }), invalid('"time"', 'the value 1', 'RFC 3339')],
  ['an extension that is an object', structured({ ...EVENT, a1: {} }), invalid('"a1"', 'an object')],
  ['an extension that is a list', structured({ ...EVENT, a1: [] }), invalid('"a1"', 'a list')],
  [
    'an extension that is no whole number',
    structured({ ...EVENT, a1: 1.5 }),
    invalid('"a1"', '1.5', 'whole number'),
  ],
  ['a whole number written otherwise', structured(written('"a1":1e3')), invalid('"a1"', '1e3')],
  [
    'a number too large',
    structured({ ...EVENT, a1: 2_147_483_648 }),
    invalid('"a1"', '2147483648', '2147483647'),
  ],
  ['a number of many digits', structured(written('"a1":12345678901234567890')), invalid('"a1"')],
  [
    'datacontenttype as a number',
    structured({ ...EVENT, datacontenttype: 5 }),
    invalid('"datacontenttype"', '5'),
  ],
  [
    'datacontenttype that is none',
    structured({ ...EVENT, datacontenttype: 'json' }),
    invalid('"datacontenttype"', '"json"'),
  ],
  [
    'a Content-Type that is none',
    binary(NEEDED, 'x', 'text plain'),
    invalid('"datacontenttype"', '"text plain"'),
  ],
  [
    'a Content-Type with half a parameter',
    binary(NEEDED, 'x', 'text/plain; a="b'),
    invalid('"datacontenttype"'),
  ],
  [
    'dataschema that is relative',
    structured({ ...EVENT, dataschema: '/s' }),
    invalid('"dataschema"', '"/s"'),
  ],
  ['dataschema as a number', structured({ ...EVENT, dataschema: 3 }), invalid('"dataschema"', '3')],
  ['an empty partitionkey', binary({ ...NEEDED, 'ce-partitionkey': '' }), invalid('"partitionkey"')],
  ['partitionkey as a number', structured({ ...EVENT, partitionkey: 3 }), invalid('"partitionkey"', '3')],
  // Values.
  [
    'a source with a space',
    structured({ ...EVENT, source: '/a b' }),
    invalid('"source"', '"/a b"', 'URI-reference'),
  ],
  ['a source beyond ASCII', structured({ ...EVENT, source: '/é' }), invalid('"source"')],
  ['a source with half an escape', structured({ ...EVENT, source: '/a%2' }), invalid('"source"')],
  ['a source with two fragments', structured({ ...EVENT, source: '/a#b#c' }), invalid('"source"')],
  [
    'a source with a colon that ends no scheme',
    structured({ ...EVENT, source: '1a:b' }),
    invalid('"source"'),
  ],
  ['a type with a space', structured({ ...EVENT, type: 'order paid' }), invalid('"type"', '"order paid"')],
  ['a type of 101 characters', structured({ ...EVENT, type: 'a'.repeat(101) }), invalid('"type"', '100')],
  ['an id with a line break', structured({ ...EVENT, id: 'a\nb' }), invalid('"id"', 'U+000A')],
  ['an id with DEL', binary({ ...NEEDED, 'ce-id': 'a%7Fb' }), invalid('"id"', 'U+007F')],
  [
    'a subject with a noncharacter',
    structured({ ...EVENT, subject: '\u{1fffe}' }),
    invalid('"subject"', 'U+1FFFE'),
  ],
  [
    'a subject with half a surrogate pair',
    structured(written('"subject":"\\ud800"')),
    invalid('"subject"', 'U+D800'),
  ],
  ['an id of 257 characters', structured({ ...EVENT, id: 'a'.repeat(257) }), invalid('"id"', '257', '256')],
  [
    'a key of 257 characters',
    structured({ ...EVENT, partitionkey: 'a'.repeat(257) }),
    invalid('"partitionkey"', '257'),
  ],
  [
    'an extension of 4,097 characters',
    structured({ ...EVENT, a1: 'a'.repeat(4_097) }),
    invalid('"a1"', '4097'),
  ],
  [
    'more than 64 attributes',
    structured({ ...EVENT, ...Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`a${i}`, 1])) }),
    invalid('attributes', '64'),
  ],
  // Times.
  [
    'a time without its zone',
    structured({ ...EVENT, time: '2026-01-01T00:00:00' }),
    invalid('"time"', '"2026-01-01T00:00:00"'),
  ],
  ['a day that no month has', structured({ ...EVENT, time: '2026-02-29T00:00:00Z' }), invalid('"time"')],
  ['hour 24', structured({ ...EVENT, time: '2026-01-01T24:00:00Z' }), invalid('"time"')],
  ['a time with a space', structured({ ...EVENT, time: '2026-01-01 00:00:00Z' }), invalid('"time"')],
  [
    'a time before the year 0',
    structured({ ...EVENT, time: '0000-01-01T00:00:00+01:00' }),
    invalid('"time"'),
  ],
  // Names.
  [
    'a name in capitals',
    structured({ ...EVENT, dataContentType: 'a/b' }),
    invalid('"dataContentType"', '"datacontenttype"'),
  ],
  ['a name with a line', structured({ ...EVENT, my_ext: 1 }), invalid('"my_ext"', 'lower-case')],
  ['a field with a hyphen', binary({ ...NEEDED, 'ce-my-ext': '1' }), invalid('"my-ext"')],
  ['a name that is empty', binary({ ...NEEDED, 'ce-': '1' }), invalid('""')],
  ['a field ce-data', binary({ ...NEEDED, 'ce-data': '1' }), invalid('"data"')],
  [
    'a field ce-datacontenttype',
    binary({ ...NEEDED, 'ce-datacontenttype': 'a/b' }),
    invalid('"datacontenttype"', 'Content-Type'),
  ],
  ['__proto__', structured(written('"__proto__":{}')), invalid('"__proto__"')],
  ['a name of 65 characters', structured({ ...EVENT, ['a'.repeat(65)]: 1 }), invalid('65 characters')],
  // Twice.
  ['a field twice', () => readCloudEvents(null, twice, bytes('')), invalid('"id"', 'two fields')],
  ['a name twice', structured(written('"id":"B-2"')), invalid('"id"', 'twice')],
  ['a name twice, once in disguise', structured(written('"\\u0069d":"B-2"')), invalid('"id"', 'twice')],
  ['data twice', structured(written('"data":1,"data":2')), invalid('"data"', 'twice')],
  [
    'data and data_base64',
    structured({ ...EVENT, data: 1, data_base64: 'MQ==' }),
    invalid('data_base64', 'one of them'),
  ],
  // Encodings.
  [
    'a field beyond ASCII',
    binary({ ...NEEDED, 'ce-subject': 'caf\u00e9' }),
    invalid('"subject"', 'percent-encoded'),
  ],
  ['a percent sign alone', binary({ ...NEEDED, 'ce-subject': '100%' }), invalid('"subject"', 'percent sign')],
  ['an overlong encoding', binary({ ...NEEDED, 'ce-subject': '%C0%A0' }), invalid('"subject"', 'UTF-8')],
  [
    'an encoded half of a surrogate pair',
    binary({ ...NEEDED, 'ce-subject': '%ED%A0%80' }),
    invalid('"subject"', 'UTF-8'),
  ],
  [
    'a quote that is not closed',
    binary({ ...NEEDED, 'ce-subject': '"a' }),
    invalid('"subject"', 'double quote'),
  ],
  [
    'a body that is no UTF-8',
    structured(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])),
    invalid('the body', 'no UTF-8'),
  ],
  [
    'JSON data that is no UTF-8',
    binary(NEEDED, Buffer.from([0x22, 0xff, 0x22]), 'application/json'),
    invalid('its data', 'no UTF-8'),
  ],
  [
    'JSON data that is none',
    binary(NEEDED, '{"a":}', 'application/json'),
    invalid('its data', 'character 6'),
  ],
  ['JSON in Base64 that is none', structured({ ...EVENT, data_base64: 'ew==' }), invalid('its data')],
  [
    'Base64 that is none',
    structured({ ...EVENT, datacontenttype: 'a/b', data_base64: '***' }),
    invalid('data_base64'),
  ],
  [
    'Base64 without its end',
    structured({ ...EVENT, datacontenttype: 'a/b', data_base64: 'AP8' }),
    invalid('data_base64'),
  ],
  ['Base64 as a number', structured({ ...EVENT, data_base64: 5 }), invalid('data_base64', 'a number')],
  [
    'text that is an object',
    structured({ ...EVENT, datacontenttype: 'text/plain', data: {} }),
    invalid('its data', 'an object'),
  ],
  [
    'text that cannot be UTF-8',
    structured(written('"datacontenttype":"text/plain","data":"\\udc00"')),
    invalid('its data', 'surrogate'),
  ],
  [
    'text of another charset',
    structured({ ...EVENT, datacontenttype: 'text/plain; charset=utf-16', data: 'x' }),
    invalid('its data', '"utf-16"'),
  ],
  // Bodies.
  ['an empty body', structured(''), invalid('the body', 'nothing')],
  ['a body that is no JSON', structured('{"id":'), invalid('the body', 'expected JSON')],
  ['a body with a byte order mark', structured(`\ufeff${JSON.stringify(EVENT)}`), invalid('the body')],
  ['an event that is a list', structured([EVENT]), invalid('a list', 'an object')],
  ['an event that is null', structured('null'), invalid('null', 'an object')],
  ['a batch that is an object', batched(EVENT), invalid('an object', 'a list of events')],
  ['a batch with a number', batched([EVENT, 5]), invalid('Event 2 of the batch', 'a number')],
  [
    'a batch with one that is wrong',
    batched([EVENT, EVENT, { ...EVENT, type: 5 }, EVENT]),
    invalid('Event 3 of the batch', '"type"'),
  ],
  [
    'a batch with another version',
    batched([EVENT, { ...EVENT, specversion: '0.3' }]),
    invalid('Event 2', '"specversion"'),
  ],
  ['a batch of 1,001', batched(many(1_001, EVENT)), TOO_LARGE],
  [
    'a batch of more than 8 MB of data',
    batched(many(9, { ...EVENT, data: 'x'.repeat(1_000_000) })),
    TOO_LARGE,
  ],
  [
    '129 lists in one another',
    structured(written(`"data":${'['.repeat(129)}${']'.repeat(129)}`)),
    invalid('128'),
  ],
  [
    'JSON data of 129 lists',
    binary(NEEDED, '['.repeat(129) + ']'.repeat(129), 'application/json'),
    invalid('its data', '128'),
  ],
  [
    '5 million lists in one another',
    structured(`{"data":${'['.repeat(5_000_000)}${']'.repeat(5_000_000)}}`.slice(0, MAX_CLOUD_EVENTS_BYTES)),
    invalid('128'),
  ],
  ['lists that are opened and never closed', structured('['.repeat(10_000_000)), invalid('128')],
  ['a body of more than 10 MB', structured(new Uint8Array(MAX_CLOUD_EVENTS_BYTES + 1)), TOO_LARGE],
  ['data of more than 1 MB', binary(NEEDED, new Uint8Array(1024 ** 2 + 1), 'image/png'), TOO_LARGE],
  [
    'data of more than 1 MB in the JSON format',
    structured({ ...EVENT, data: 'x'.repeat(1024 ** 2) }),
    TOO_LARGE,
  ],
  // Forms that are not taken.
  ['JSON and no attributes', binary({}, '{}', 'application/json'), UNSUPPORTED],
  ['nothing at all', binary({}), UNSUPPORTED],
  ['Avro', structured('', 'application/cloudevents+avro'), UNSUPPORTED],
  ['a batch in Avro', structured('', 'application/cloudevents-batch+avro'), UNSUPPORTED],
  ['no format', structured(EVENT, 'application/cloudevents'), UNSUPPORTED],
  ['the JSON format in UTF-16', structured(EVENT, `${STRUCTURED_TYPE}; charset=utf-16`), UNSUPPORTED],
  ['the JSON format with half a parameter', structured(EVENT, `${STRUCTURED_TYPE}; charset`), UNSUPPORTED],
];

for (const [name, read, { code, words }] of BAD) {
  test(`refused: ${name}`, () => {
    assert.throws(read, (error) => {
      assert.ok(error instanceof FulcrumError, String(error));
      assert.equal(error.code, code, error.message);
      for (const word of words)
        assert.ok(
          typeof word === 'string' ? error.message.includes(word) : word.test(error.message),
          error.message,
        );
      assert.ok(error.message.length < 1_000);
      return true;
    });
  });
}

test('what is refused does not show its content', () => {
  assert.throws(binary(NEEDED, '{"card": 4111111111111111x}', 'application/json'), (error) => {
    assert.ok(error instanceof FulcrumError);
    assert.doesNotMatch(error.message, /4111/);
    return true;
  });
});

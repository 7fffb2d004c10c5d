import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import { MAX_EVENT_BYTES, MAX_EVENT_KEY_LENGTH } from '../../model/event.ts';
import { faultIn, itemsOf, membersOf, skipSpace } from './json-text.ts';
import { isJson, readMediaType } from './media-type.ts';
import { BATCHED_TYPE, readCloudEvents, STRUCTURED_TYPE } from './read.ts';
import { writtenEvent } from './testing/written-event.ts';
import { writeCloudEvents } from './write.ts';

const ROUNDS = process.env['FULCRUM_FULL'] === '1' ? 200_000 : 20_000;
const REFUSALS: ReadonlySet<string> = new Set(['event-invalid', 'media-type-unsupported', 'body-too-large']);

/** mulberry32: small, and the same everywhere for one seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const PIECES = [
  '{', '}', '[', ']', '"', ',', ':', '\\', '\\u00', '\\ud83d', 'null', 'true', 'false', '-1', '1e9', '0.5', ' ', '\n',
  '"id"', '"data"', '"data_base64"', '"specversion":"1.0"', '"__proto__"', '"type":"a"', 'AP8=', '\u0000', 'é', '€',
].map((piece) => Buffer.from(piece)); // prettier-ignore
const FIELD_PIECES = [
  'ce-',
  'ce-id',
  'CE-Type',
  'ce-data',
  'ce-time',
  'ce-a1',
  'x',
  '"',
  '%',
  '%C3',
  '%28',
  '\\',
  '\u00ff',
  '2026-01-01T00:00:00Z',
  '/',
  ' ',
];
const TYPES = [
  null,
  '',
  'application/json',
  STRUCTURED_TYPE,
  BATCHED_TYPE,
  'application/cloudevents+avro',
  'text/plain; charset="',
  'a/b;;c=d',
  ';',
];

test(`whatever comes, it is read or refused, and what is read keeps its bounds: ${ROUNDS} messages`, () => {
  const next = random(20_261_127);
  const below = (n: number): number => Math.floor(next() * n);
  const pick = <T>(of: readonly T[]): T => of[below(of.length)]!;
  const seeds = (['binary', 'structured', 'batched'] as const).map((mode) =>
    writeCloudEvents(mode, [
      writtenEvent({
        subject: 'a "b" €',
        key: 'k',
        attributes: '{"seq":1,"on":true}',
        data: Buffer.from('{"a":["}",{"b":null}]}'),
      }),
    ]),
  );
  let read = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const seed = pick(seeds);
    const fields = [...seed.fields];
    let body = Buffer.from(seed.body);
    for (let change = below(4); change > 0; change--) {
      const at = below(body.length + 1);
      switch (below(5)) {
        case 0:
          body = Buffer.concat([body.subarray(0, at), pick(PIECES), body.subarray(at)]);
          break;
        case 1:
          body = Buffer.concat([body.subarray(0, at), body.subarray(Math.min(body.length, at + below(6)))]);
          break;
        case 2:
          if (at < body.length) body[at] = below(256);
          break;
        case 3:
          fields[below(fields.length)] = pick(FIELD_PIECES) + pick(FIELD_PIECES);
          break;
        default:
          fields.push(pick(FIELD_PIECES) + pick(FIELD_PIECES), pick(FIELD_PIECES));
      }
    }
    const type = next() < 0.2 ? pick(TYPES) : fields[1]!;
    try {
      for (const order of readCloudEvents(type, fields, body)) {
        read++;
        assert.match(order.type, /^[\w.:/-]{1,100}$/);
        assert.ok(order.id !== null && order.id.length <= 256 && order.source !== null);
        assert.ok((order.key?.length ?? 0) <= MAX_EVENT_KEY_LENGTH);
        assert.ok(order.data.length <= MAX_EVENT_BYTES);
        if (isJson(readMediaType(order.contentType)!)) JSON.parse(Buffer.from(order.data).toString());
      }
    } catch (error) {
      assert.ok(
        error instanceof FulcrumError && REFUSALS.has(error.code),
        `round ${round}: ${(error as Error).stack}`,
      );
    }
  }
  assert.ok(read > ROUNDS / 10, `${read} were read: the fuzzer gets past the first check`);
});

test(`what is JSON is what JSON.parse takes, as deep as it is, and its parts are those of its value: ${ROUNDS} texts`, () => {
  const next = random(7);
  const below = (n: number): number => Math.floor(next() * n);
  const scalars = [
    '""',
    '"a\\\\"',
    '"\\"]"',
    '"\\u00e9"',
    '0',
    '-0.5',
    '1e9',
    '2E-3',
    'true',
    'false',
    'null',
  ];
  const noise = [
    ...'{}[],:"\\ \n\t0123-.eE+tfnu'.split(''),
    '\\x',
    '\\u12',
    '01',
    '1.',
    'nul',
    '\u0001',
    '\u00a0',
    '\ufeff',
  ];
  const made = (depth: number): string => {
    const kind = depth > 3 ? 0 : below(3);
    const space = next() < 0.2 ? ' ' : '';
    const parts = Array.from({ length: kind === 0 ? 0 : below(4) }, () => made(depth + 1));
    if (kind === 1) return `${space}[${parts.join(`${space},`)}${space}]`;
    if (kind === 2) return `{${space}${parts.map((part, i) => `"k${i}"${space}:${part}`).join(',')}}${space}`;
    return `${space}${scalars[below(scalars.length)]!}`;
  };
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null
      ? 1 + Math.max(0, ...Object.values(value).map((inner) => depthOf(inner)))
      : 0;
  const namesIn = (value: unknown): number =>
    typeof value === 'object' && value !== null
      ? (Array.isArray(value) ? 0 : Object.keys(value).length) +
        Object.values(value).reduce((sum: number, inner) => sum + namesIn(inner), 0)
      : 0;
  let valid = 0;
  for (let round = 0; round < ROUNDS; round++) {
    let text = made(0);
    for (let change = below(3); change > 0; change--) {
      const at = below(text.length + 1);
      const put = next() < 0.7 ? noise[below(noise.length)]! : '';
      text = text.slice(0, at) + put + text.slice(at + below(2));
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      assert.equal(faultIn(text, 10)?.kind, 'none', text);
      continue;
    }
    // Of a name that is there twice by a change the value has the last one only.
    const written = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1;
    if (namesIn(value) !== written) continue;
    valid++;
    const depth = depthOf(value);
    assert.equal(faultIn(text, depth), null, text);
    if (depth > 0) assert.equal(faultIn(text, depth - 1)?.kind, 'deep', text);
    const at = skipSpace(text, 0);
    const parsed = ({ from, to }: { from: number; to: number }): unknown => JSON.parse(text.slice(from, to));
    if (Array.isArray(value)) assert.deepEqual(itemsOf(text, at, 10).map(parsed), value);
    else if (depth > 0)
      assert.deepEqual(Object.fromEntries(membersOf(text, at).map((one) => [one.name, parsed(one)])), value);
  }
  assert.ok(valid > ROUNDS / 4 && valid < ROUNDS, `${valid} were valid`);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FulcrumError } from '../../base/errors.ts';
import { readStreamHead } from './stream-head.ts';

const LIMITS = { headerBytes: 200, headerCount: 6 };
const GET = [':method', 'GET', ':scheme', 'https', ':path', '/a?b', ':authority', 'a.test'];

test('a head comes out as one of HTTP/1.1 would', () => {
  const head = readStreamHead(
    [...GET, 'x-a', '1', 'cookie', 'a=1', 'x-a', '2', 'cookie', 'b=2'],
    true,
    LIMITS,
  );
  assert.deepEqual(
    [head.method, head.target, head.minor, head.bodyBytes, head.keepsAlive],
    ['GET', '/a?b', 1, 0, true],
  );
  assert.deepEqual([head.fields.host, head.fields.hosts, head.fields.cookie], ['a.test', 1, 'a=1; b=2']);
  assert.deepEqual(head.fields.passed, ['x-a', '1', 'cookie', 'a=1; b=2', 'x-a', '2']);
});

test('how much of a body follows', () => {
  const length = (...more: string[]): unknown => readStreamHead([...GET, ...more], false, LIMITS).bodyBytes;
  assert.equal(length(), null);
  assert.equal(length('content-length', '12'), 12);
});

test('CONNECT has no path; OPTIONS may be about the server as a whole', () => {
  assert.equal(readStreamHead([':method', 'CONNECT', ':authority', 'a:1'], false, LIMITS).target, '');
  const star = [':method', 'OPTIONS', ':scheme', 'https', ':path', '*', ':authority', 'a.test'];
  assert.equal(readStreamHead(star, true, LIMITS).target, '*');
});

test('a Host beside :authority is one with it, or refused', () => {
  const both = readStreamHead([...GET, 'host', 'A.test'], true, LIMITS);
  assert.deepEqual([both.fields.host, both.fields.hosts], ['A.test', 1]);
  assert.throws(() => readStreamHead([...GET, 'host', 'b.test'], true, LIMITS), /two different hosts/);
  const alone = readStreamHead([...GET.slice(0, 6), 'host', 'b.test'], true, LIMITS);
  assert.equal(alone.fields.host, 'b.test');
});

function replaced(name: string, value: string): string[] {
  const at = GET.indexOf(name);
  return GET.with(at + 1, value);
}

const REFUSED: [string, readonly string[], FulcrumError['code']][] = [
  ['connection', [...GET, 'connection', 'close'], 'bad-request'],
  ['transfer-encoding', [...GET, 'transfer-encoding', 'chunked'], 'bad-request'],
  ['upgrade', [...GET, 'upgrade', 'websocket'], 'bad-request'],
  ['keep-alive', [...GET, 'keep-alive', '5'], 'bad-request'],
  ['proxy-connection', [...GET, 'proxy-connection', 'close'], 'bad-request'],
  ['te with more than trailers', [...GET, 'te', 'gzip'], 'bad-request'],
  ['a line break in a value', [...GET, 'x-a', 'a\r\nb: c'], 'bad-request'],
  ['NUL in a value', [...GET, 'x-a', 'a\0b'], 'bad-request'],
  ['a name that is no token', [...GET, 'x a', 'b'], 'bad-request'],
  ['another scheme', replaced(':scheme', 'http'), 'bad-request'],
  ['an absolute path', replaced(':path', 'https://b.test/'), 'bad-request'],
  ['an empty path', replaced(':path', ''), 'bad-request'],
  ['a space in the path', replaced(':path', '/a b'), 'bad-request'],
  ['a fragment', replaced(':path', '/a#b'), 'bad-request'],
  ['a half-encoded byte', replaced(':path', '/%a'), 'bad-request'],
  ['a method that is none', replaced(':method', 'G ET'), 'bad-request'],
  ['a long method', replaced(':method', 'A'.repeat(65)), 'bad-request'],
  ['no method', GET.slice(2), 'bad-request'],
  ['two lengths', [...GET, 'content-length', '1', 'content-length', '1'], 'bad-request'],
  ['a length that is none', [...GET, 'content-length', '+1'], 'bad-request'],
  ['too many bytes', [...GET, 'x-a', 'x'.repeat(200)], 'headers-too-large'],
  ['too many fields', [...GET, ...Array.from({ length: 14 }, () => 'x')], 'headers-too-large'],
];
for (const [name, raw, code] of REFUSED) {
  test(`${name}: ${code}`, () => {
    assert.throws(
      () => readStreamHead(raw, false, LIMITS),
      (error: FulcrumError) => error.code === code,
    );
  });
}

test('te: trailers is no harm, and goes no further', () => {
  assert.deepEqual(readStreamHead([...GET, 'te', 'trailers'], true, LIMITS).fields.passed, []);
});

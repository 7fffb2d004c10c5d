import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { readResponseHead } from './response-fields.ts';

test('strips what concerns one hop, and an id that is not ours', () => {
  const headers = [
    ...[
      'Content-Type',
      'a',
      'Set-Cookie',
      'a=1',
      'Set-Cookie',
      'b=2',
      'Connection',
      'close, X-Hop',
      'x-hop',
      '1',
    ],
    ...[
      'Keep-Alive',
      '5',
      'Transfer-Encoding',
      'chunked',
      'Proxy-Authenticate',
      'x',
      'Upgrade',
      'h2',
      'Trailer',
      'y',
    ],
    ...['x-request-id', 'theirs', 'Content-Length', '3', 'content-length', '3'],
    ...['Access-Control-Allow-Origin', 'https://a'],
  ];
  const lines = 'Content-Type: a\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n';
  const read = { lines, contentLength: 3, dated: false };
  assert.deepEqual(readResponseHead({ status: 200, headers }, true), read);
  const cors = 'Access-Control-Allow-Origin: https://a\r\n';
  assert.equal(readResponseHead({ status: 200, headers }, false).lines, lines + cors);
});

test('a list that stays what it is is read once, and once for each way to read it', () => {
  const headers = Object.freeze(['Access-Control-Allow-Origin', 'https://a', 'Date', 'today']);
  const first = readResponseHead({ status: 200, headers }, false);
  assert.deepEqual(first, {
    lines: 'Access-Control-Allow-Origin: https://a\r\nDate: today\r\n',
    contentLength: null,
    dated: true,
  });
  assert.equal(readResponseHead({ status: 404, headers }, false), first);
  assert.equal(readResponseHead({ status: 200, headers }, true).lines, 'Date: today\r\n');
  assert.throws(() => readResponseHead({ status: 101, headers }, false), /101/);
});

const wrong: [string, number, string[]][] = [
  ['an interim status', 103, []],
  ['a switch that nobody asked for', 101, []],
  ['no status', Number.NaN, []],
  ['a status out of range', 1000, []],
  ['half a field', 200, ['X']],
  ['two lengths', 200, ['Content-Length', '3', 'Content-Length', '4']],
  ['a negative length', 200, ['Content-Length', '-1']],
  ['a length that is a list', 200, ['Content-Length', '3, 3']],
  ['an empty length', 200, ['Content-Length', '']],
];
for (const [what, status, headers] of wrong) {
  test(`${what} is no valid response`, () => {
    assert.throws(
      () => readResponseHead({ status, headers }, false),
      (error) => error instanceof FulcrumError && error.code === 'bad-response',
    );
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindingFields, unsoundField } from './binding-fields.ts';

const TRACE = { requestId: 'r_1', traceparent: '00-a-b-01' };
const ENDS = ['X-Request-Id', 'r_1', 'traceparent', '00-a-b-01'];

test('what is of one connection is dropped, and what the platform says of every request is said anew', () => {
  const headers = [
    ...['Host', 'evil.example', 'content-length', '7', 'Transfer-Encoding', 'chunked', 'Connection', 'x-hop'],
    ...[
      'X-Hop',
      '1',
      'Expect',
      '100-continue',
      'x-request-id',
      'r_0',
      'Traceparent',
      'old',
      'te',
      'trailers',
    ],
    ...['Proxy-Authorization', 'x', 'Upgrade', 'websocket', 'Keep-Alive', '5', 'Cookie', 'a=1'],
    ...['X-Forwarded-For', '10.0.0.1', 'tracestate', 'v=1', 'X-Two', '1', 'x-two', '2'],
  ];
  const request = { method: 'POST', url: 'http://catalog:81/a', headers, hasBody: true, lengthBytes: 12 };
  assert.deepEqual(bindingFields(request, TRACE), [
    ...['Host', 'catalog:81', 'Cookie', 'a=1', 'X-Forwarded-For', '10.0.0.1', 'tracestate', 'v=1'],
    ...['X-Two', '1', 'x-two', '2', 'Content-Length', '12', ...ENDS],
  ]);
});

test('the length of a body is told where it is known, and that there is none where one was expected', () => {
  const cases: [string, boolean, number | null, string[]][] = [
    ['POST', true, null, []],
    ['POST', true, 0, ['Content-Length', '0']],
    ['POST', false, null, ['Content-Length', '0']],
    ['GET', false, null, []],
    ['DELETE', false, 5, []],
  ];
  for (const [method, hasBody, lengthBytes, told] of cases) {
    const request = { method, url: 'http://a/', headers: ['content-length', '3'], hasBody, lengthBytes };
    assert.deepEqual(bindingFields(request, TRACE), ['Host', 'a', ...told, ...ENDS]);
  }
});

test('a field that HTTP cannot carry is named', () => {
  assert.equal(unsoundField(['a', '1', 'b-c', 'caf\u00e9\t ']), null);
  for (const [name, value] of [
    ['a b', '1'],
    ['', '1'],
    ['a:', '1'],
    ['ü', '1'],
    ['x', 'a\r\nb: c'],
    ['x', 'a\0'],
    ['x', 'a\x01'],
    ['x', '\u20ac'],
  ] as const)
    assert.equal(unsoundField(['ok', '', name, value]), name);
});

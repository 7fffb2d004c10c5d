import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFields } from './request-fields.ts';

test('passes on what is end-to-end, with its letter case, order and repeats', () => {
  const fields = readFields([
    ...['Host', 'a', 'aCCept', 'x', 'Connection', 'keep-alive, X-Hop', 'X-Hop', '1', 'Keep-Alive', '5'],
    ...[
      'TE',
      'trailers',
      'Trailer',
      'X',
      'Transfer-Encoding',
      'chunked',
      'Upgrade',
      'h2c',
      'Expect',
      '100-continue',
    ],
    ...['Proxy-Authorization', 'secret', 'Proxy-Connection', 'keep-alive', 'X-Request-Id', 'mine'],
    ...[
      'X-Forwarded-Port',
      '1',
      'X-Forwarded-Prefix',
      '/x',
      'Cookie',
      'a=1',
      'Cookie',
      'b=2',
      'Content-Length',
      '3',
    ],
  ]);
  assert.deepEqual(fields.passed, [
    ...['aCCept', 'x', 'Cookie', 'a=1', 'Cookie', 'b=2', 'Content-Length', '3'],
  ]);
  assert.deepEqual([fields.host, fields.contentLength, fields.transferEncoding], ['a', '3', 'chunked']);
});

test('a Connection field cannot take away what frames the message', () => {
  const fields = readFields([
    'Connection',
    'Content-Length, Host, Accept',
    'Content-Length',
    '3',
    'Accept',
    '*',
  ]);
  assert.deepEqual(fields.passed, ['Content-Length', '3']);
});

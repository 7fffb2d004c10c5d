import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConnection } from './reference-parser.ts';

const read = (text: string) => readConnection(Buffer.from(text, 'latin1'));

test('the example of RFC 9112, 2.1: request line, fields, no body', () => {
  const { requests, end } = read(
    'GET /hello.txt HTTP/1.1\r\nUser-Agent: curl/7.64.1\r\nHost: www.example.com\r\nAccept-Language: en, mi\r\n\r\n',
  );
  assert.equal(end, 'open');
  assert.deepEqual(requests[0]!.fields, [
    ['user-agent', 'curl/7.64.1'],
    ['host', 'www.example.com'],
    ['accept-language', 'en, mi'],
  ]);
});

test('the target forms of RFC 9112, 3.2', () => {
  for (const [line, own] of [
    ['GET /where?q=now HTTP/1.1', null],
    ['GET http://www.example.org/pub/WWW/TheProject.html HTTP/1.1', null],
    ['OPTIONS * HTTP/1.1', [204]],
  ] as const) {
    const { requests } = read(`${line}\r\nHost: www.example.org\r\n\r\n`);
    assert.deepEqual(requests[0]!.ownAnswer, own, line);
  }
  assert.deepEqual(read('CONNECT www.example.com:80 HTTP/1.1\r\nHost: www.example.com\r\n\r\n').end, [405]);
});

test('a chunked body with extensions and trailers (RFC 9112, 7.1)', () => {
  const { requests, end } = read(
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n' +
      '5;a=b;c="d\\"e"\r\nhello\r\n0A\r\n, chunked!\r\n000\r\nTrailer: x\r\n\r\nGET',
  );
  assert.equal(requests[0]!.body.toString(), 'hello, chunked!');
  assert.equal(end, 'open');
});

test('what RFC 9112 says must be refused is', () => {
  for (const [text, statuses] of [
    ['GET / HTTP/1.1\r\n\r\n', [400]],
    ['GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', [400]],
    ['GET / HTTP/1.1\r\nHost : a\r\n\r\n', [400]],
    ['GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n', [400]],
    ['GET / HTTP/2.0\r\nHost: a\r\n\r\n', [505]],
    ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', [501]],
    ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n', [400]],
    ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx', [400]],
  ] as const) {
    assert.deepEqual(read(text).end, statuses, text);
  }
});

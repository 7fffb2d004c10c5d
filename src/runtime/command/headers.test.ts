import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BodySource } from '../../model/body.ts';
import { requestHeaders } from './headers.ts';

function body(lengthBytes: number | null): BodySource {
  const nothing = (): void => undefined;
  return { lengthBytes, read: nothing, pause: nothing, resume: nothing, cancel: nothing };
}

/** `A: b|C: d` as raw headers. */
function fields(text: string): string[] {
  return text.split('|').flatMap((field) => field.split(': '));
}

function sent(method: string, headers: string[], source: BodySource | null): string[] {
  return requestHeaders({ method, url: 'http://shop.test/a', target: '/a', headers }, source);
}

test('the framing is that of the body, whatever the fields say', () => {
  const host = ['Host', 'h'];
  const rows: [string, string[], BodySource | null, string[]][] = [
    ['GET', [], null, []],
    ['GET', ['Content-Length', '0'], null, ['Content-Length', '0']],
    ['GET', ['Content-Length', '9'], null, ['Content-Length', '0']],
    ['POST', [], null, ['Content-Length', '0']],
    ['DELETE', [], null, []],
    ['POST', ['content-length', '7'], body(3), ['content-length', '3']],
    ['POST', ['Content-Length', '3', 'Content-Length', '4'], body(3), ['Content-Length', '3']],
    ['POST', [], body(3), ['Content-Length', '3']],
    ['GET', [], body(3), ['Content-Length', '3']],
    ['POST', ['Content-Length', '3'], body(null), ['Transfer-Encoding', 'chunked']],
    ['POST', ['Transfer-Encoding', 'gzip'], body(null), ['Transfer-Encoding', 'chunked']],
  ];
  for (const [method, headers, source, framing] of rows) {
    assert.deepEqual(
      sent(method, [...host, ...headers], source),
      [...host, ...framing],
      `${method} ${headers.join(' ')}`,
    );
  }
});

test('an expectation is not passed on; a missing host is filled in', () => {
  assert.deepEqual(
    sent('POST', ['Expect', '100-continue', 'A', 'b'], body(1)),
    fields('Host: shop.test|A: b|Content-Length: 1'),
  );
});

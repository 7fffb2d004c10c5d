import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endToEnd } from './hop-by-hop.ts';

/** `A: b|C: d` as raw headers. */
function fields(text: string): string[] {
  return text.split('|').flatMap((field) => field.split(': '));
}

test('end-to-end fields keep order, letter case and repeats; the others go, named ones too', () => {
  assert.deepEqual(
    endToEnd(
      fields(
        'X-b: 1|Connection: close, X-Private|SET-COOKIE: a|x-private: p|Keep-Alive: timeout=5|Set-Cookie: b|' +
          'Transfer-Encoding: chunked|Upgrade: h2c|TE: trailers|Trailer: X-T',
      ),
    ),
    ['X-b', '1', 'SET-COOKIE', 'a', 'Set-Cookie', 'b'],
  );
});

test('a Connection field cannot take away the length or the host', () => {
  const headers = ['Host', 'a', 'Content-Length', '3'];
  assert.deepEqual(endToEnd([...headers, 'Connection', 'Content-Length, Host']), headers);
});

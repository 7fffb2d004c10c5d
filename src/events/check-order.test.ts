import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventOrder } from '../model/event.ts';
import { checkOrders } from './check-order.ts';
import { order } from './testing/scene.ts';

const WRONG: readonly [Partial<EventOrder>, RegExp][] = [
  [{ type: 'order paid' }, /type is "order paid"\. A type such as 'order\.paid'/],
  [{ type: '' }, /type is ""/],
  [{ contentType: 'json' }, /"json", which is no media type/],
  [{ contentType: 'text/plain\r\nx: y' }, /control character/],
  [{ key: '' }, /key of the event 'order\.paid' is empty/],
  [{ key: 'x'.repeat(257) }, /has 257 characters; it may have 256/],
  [{ key: 'a\0b' }, /control character/],
  [{ dedupe: 'a\u0001b' }, /dedupe key .* control character/],
  [{ subject: '\ud800' }, /half of a surrogate pair/],
  [{ delayMs: -1 }, /delay .* is -1 ms/],
  [{ delayMs: Number.NaN }, /delay .* is NaN ms/],
  [{ timeMs: 9e15 }, /no time in ms/],
  [{ extensions: { 'Bad-Name': 'x' } }, /name "Bad-Name"/],
  [{ extensions: { ratio: 0.5 } }, /'ratio' .* is 0\.5, which is no integer/],
  [{ data: Buffer.from('{"a":') }, /is no JSON, as its content type says/],
  [{ data: Buffer.from('4111 1111') }, /content type says: it goes wrong at character 6\.$/],
  [{ data: Buffer.alloc(0) }, /it is empty/],
  [{ data: Buffer.from([0x22, 0xff, 0x22]) }, /is not UTF-8/],
];

test('what cannot be published is refused, and told with its place', () => {
  for (const [wrong, message] of WRONG)
    assert.throws(
      () => checkOrders([order('order.paid', 1, wrong)]),
      { code: 'event-invalid', message },
      String(message),
    );
  const two = [order('order.paid'), order('order.paid', 1, { key: '' })];
  assert.throws(() => checkOrders(two), { message: /\(event 2 of 2\)/ });
  const large = { data: Buffer.alloc(1024 ** 2 + 1, 0x20) };
  assert.throws(() => checkOrders([order('order.paid', 1, large)]), { code: 'call-too-large' });
  const many = Array.from({ length: 1_001 }, () => order('order.paid'));
  assert.throws(() => checkOrders(many), { message: /1001 events were published at once/ });
});

test('what can be is let through', () => {
  const bytes = { contentType: 'application/octet-stream', data: Buffer.from([0xff, 0]) };
  const deep = { data: Buffer.from('['.repeat(100_000) + ']'.repeat(100_000)) };
  const odd = {
    key: '🙂'.repeat(128),
    contentType: 'text/plain; charset="utf-8"',
    extensions: { a1: true, b: -5, c: '' },
  };
  checkOrders([order('a', 1, bytes), order('a', 1, deep), order('order.paid/v1:x_y-z', 1, odd)]);
});

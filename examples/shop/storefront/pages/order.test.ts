import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderWith } from '../../testing/orders.ts';
import { orderPage, refreshAfterS } from './order.ts';

test('who waits for a receipt sees what was paid, and the page looks again ever more rarely', () => {
  const order = orderWith(1, { A: 2 });
  const waiting = orderPage(order, null, order.atMs + 200);
  assert.match(waiting.body.text, /being written[\s\S]*2 things for €20\.00/);
  assert.equal(waiting.refreshS, 1);
  const there = orderPage(order, '<article>the receipt</article>', order.atMs + 200);
  assert.match(there.body.text, /<article>the receipt<\/article>/);
  assert.equal(there.refreshS, undefined);

  // A page that is left open for an hour, whatever becomes of the receipt.
  let [atMs, looks] = [0, 0];
  for (; atMs < 3_600_000; looks++) atMs += refreshAfterS(atMs) * 1_000;
  assert.ok(looks < 75, `${looks} looks`);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Orders } from '../shared/orders.ts';
import { keep, orderWith } from '../testing/orders.ts';
import { columns, scaleFor } from './chart.ts';
import { boundsOf, dayBefore, dayOf } from './days.ts';
import { reportPage } from './page.ts';
import { salesOn } from './sales.ts';

const HOUR_MS = 3_600_000;

test('a day is the shop’s own, with 23 hours or 25 where clocks are changed', () => {
  const hoursOf = (day: string): number => {
    const { beginMs, endMs } = boundsOf(day);
    return (endMs - beginMs) / HOUR_MS;
  };
  assert.deepEqual(['2026-03-28', '2026-03-29', '2026-10-25'].map(hoursOf), [24, 23, 25]);
  assert.equal(dayOf(Date.UTC(2026, 0, 31, 23)), '2026-02-01');
  assert.equal(dayBefore('2026-03-01'), '2026-02-28');
  for (const wrong of ['tomorrow', '2026-02-30', '2026-1-1', ''])
    assert.throws(() => boundsOf(wrong), /is no day/);
});

test('a day’s sales hold every order of it and no other', () => {
  const { beginMs, endMs } = boundsOf('2026-10-25');
  const orders = new Orders(':memory:');
  keep(orders, orderWith(1, { A: 9 }, beginMs - 1));
  keep(orders, orderWith(2, { A: 1, B: 2 }, beginMs));
  keep(orders, orderWith(3, { B: 1, C: 4 }, beginMs + 24.5 * HOUR_MS));
  keep(orders, orderWith(4, { A: 2 }, endMs - 1));
  keep(orders, orderWith(5, { A: 9 }, endMs));
  const sales = salesOn('2026-10-25', orders.between(beginMs, endMs));
  assert.deepEqual([sales.orders, sales.items, sales.totalCents], [3, 10, 10_000]);
  assert.deepEqual(
    sales.best.map(({ name, items }) => [name, items]),
    [
      ['Thing C', 4],
      ['Thing A', 3],
      ['Thing B', 3],
    ],
  );
  assert.equal(sales.hours.length, 25);
  assert.deepEqual(
    sales.hours.slice(2, 4).map(({ from }) => from),
    ['02:00', '02:00'],
  );
  assert.deepEqual(
    sales.hours.flatMap(({ orders: count }, i) => (count > 0 ? [[i, count]] : [])),
    [
      [0, 1],
      [24, 2],
    ],
  );
});

test('a scale has few, round steps and ends where it must', () => {
  for (const most of [0, 0.3, 1, 7, 99, 100, 101, 2_400, 98_765]) {
    const { top, steps } = scaleFor(most);
    assert.ok(top >= most && top <= Math.max(most, 1) * 1.7, `${most}: ${top}`);
    assert.ok(steps.length >= 3 && steps.length <= 7, `${most}: ${steps.join(' ')}`);
    assert.equal(steps.at(-1), top);
  }
  assert.deepEqual(scaleFor(230).steps, [0, 50, 100, 150, 200, 250]);
});

test('the report is a page by itself, and shows what people typed in as they typed it', () => {
  const day = '2026-01-31';
  const order = orderWith(1, { A: 2 }, boundsOf(day).beginMs + 14 * HOUR_MS);
  const lines = [{ ...order.lines[0]!, name: '<script>' }];
  const page = reportPage({
    sales: salesOn(day, [{ ...order, lines }]),
    before: salesOn('2026-01-30', []),
    soFar: false,
  });
  assert.match(page, /Saturday 31 January 2026|Saturday, 31 January 2026/);
  assert.match(page, /&lt;script&gt;/);
  assert.doesNotMatch(page, /<script|NaN|undefined/);
  assert.equal(page.match(/class="bar"/g)!.length, 1);
  assert.match(page, /14:00: €20\.00, 1 order/);
  const empty = reportPage({ sales: salesOn(day, []), before: salesOn(day, []), soFar: true });
  assert.match(empty, /Nothing was sold/);
  assert.doesNotMatch(empty, /class="bar"|NaN|Infinity/);
  assert.doesNotMatch(columns([], String, 'nothing').text, /NaN|Infinity/);
});

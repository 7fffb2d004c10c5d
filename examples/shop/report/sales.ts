import type { Order } from '../shared/order.ts';
import { boundsOf, timeOf } from './days.ts';

const HOUR_MS = 3_600_000;
const BEST = 10;

export interface Sales {
  readonly day: string;
  readonly orders: number;
  readonly items: number;
  readonly totalCents: number;
  /** Every hour of the day: 24 of them, or 23 or 25. */
  readonly hours: readonly Hour[];
  /** What sold most pieces, at most ten. */
  readonly best: readonly Best[];
}

interface Hour {
  /** When it begins, `14:00`. */
  readonly from: string;
  readonly orders: number;
  readonly cents: number;
}

interface Best {
  readonly name: string;
  readonly items: number;
  readonly cents: number;
}

/** What was sold on a day. Takes one order at a time and keeps none, so that there may be any number. */
export function salesOn(day: string, orders: Iterable<Order>): Sales {
  const { beginMs, endMs } = boundsOf(day);
  const hours = Array.from({ length: Math.round((endMs - beginMs) / HOUR_MS) }, (_, i) => ({
    from: timeOf(beginMs + i * HOUR_MS),
    orders: 0,
    cents: 0,
  }));
  const products = new Map<string, { name: string; items: number; cents: number }>();
  let [count, items, totalCents] = [0, 0, 0];
  for (const order of orders) {
    const hour = hours[Math.floor((order.atMs - beginMs) / HOUR_MS)];
    if (hour === undefined) continue;
    hour.orders += 1;
    hour.cents += order.totalCents;
    count += 1;
    totalCents += order.totalCents;
    for (const { sku, name, quantity, priceCents } of order.lines) {
      let product = products.get(sku);
      if (product === undefined) products.set(sku, (product = { name, items: 0, cents: 0 }));
      product.items += quantity;
      product.cents += quantity * priceCents;
      items += quantity;
    }
  }
  const best = [...products.values()]
    .sort((a, b) => b.items - a.items || b.cents - a.cents || a.name.localeCompare(b.name))
    .slice(0, BEST);
  return { day, orders: count, items, totalCents, hours, best };
}

import type { Order } from '../shared/order.ts';
import type { Orders } from '../shared/orders.ts';

/** An order of as many of each product as is said. */
export function orderWith(
  number: number,
  items: Readonly<Record<string, number>>,
  atMs = Date.UTC(2026, 0, 31, 12),
): Order {
  const lines = Object.entries(items).map(([sku, quantity]) => ({
    sku,
    quantity,
    name: `Thing ${sku}`,
    priceCents: 1_000,
  }));
  return {
    id: number.toString(16).padStart(20, '0'),
    atMs,
    name: 'Ada <b>Visitor</b>',
    email: 'ada@example.com',
    address: '1 Analytical Way',
    lines,
    discountCents: 0,
    shippingCents: 0,
    totalCents: lines.reduce((sum, line) => sum + line.quantity * line.priceCents, 0),
    paymentId: 'pay_1',
  };
}

/** As if it had been bought. */
export function keep(orders: Orders, order: Order): void {
  const { paymentId, ...purchase } = order;
  orders.begin(purchase);
  orders.pay(order.id, paymentId);
}

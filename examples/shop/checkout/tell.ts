import type { EventPublisher } from 'fulcrum';
import type { Order } from '../shared/order.ts';
import type { Orders } from '../shared/orders.ts';

/** Older than that, an order is not one whose request is telling of it at this moment. */
const LEFT_AFTER_MS = 10_000;
const AT_ONCE = 500;

/**
 * Publishes `order.paid`: receipts and inventory take it from there. One order's events keep their order (`key`), and one that is told twice counts once
 * (`dedupe`).
 */
export async function tell(order: Order, orders: Orders, events: EventPublisher): Promise<void> {
  await events.publish('order.paid', order, { key: order.id, dedupe: order.id });
  orders.markTold(order.id);
}

/** Tells of the orders that were kept and not told of: a crash or a full disk came between the two. @returns how many. */
export async function tellWhatIsLeft(orders: Orders, events: EventPublisher, nowMs: number): Promise<number> {
  const left = orders.untold(nowMs - LEFT_AFTER_MS, AT_ONCE);
  for (const order of left) await tell(order, orders, events);
  return left.length;
}

import type { EventPublisher, QueueMessage } from 'fulcrum';
import { orderOf } from '../shared/order.ts';
import type { Delivery, Shelf } from './shelf.ts';

/** How long the supplier takes. */
const COMES_IN = '2m';

/**
 * Does what one event asks for:
 *
 *   order.paid       the goods that were put aside are gone; what is sold out is ordered: `stock.arrived`, held back for two minutes
 *   stock.arrived    puts them there; `key`: the deliveries of one product come one after the other
 *
 * An order that comes again takes nothing, but orders again: the first time may have ended between the two, and `dedupe` keeps it from being
 * ordered twice.
 */
export async function takeIn(message: QueueMessage, shelf: Shelf, events: EventPublisher): Promise<void> {
  if (message.type === 'stock.arrived') {
    const delivery = message.data as Delivery;
    if (shelf.putBack(delivery)) console.log(`${delivery.quantity} × ${delivery.sku} came in`);
    return;
  }
  const order = orderOf(message.data);
  shelf.sell(order);
  for (const delivery of shelf.wanted(order.lines.map(({ sku }) => sku))) {
    const { sku, number } = delivery;
    await events.publish('stock.arrived', delivery, {
      key: sku,
      dedupe: `${sku}/${number}`,
      delay: COMES_IN,
    });
  }
}

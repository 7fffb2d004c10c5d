import { idempotent, type ComponentModule } from 'fulcrum';
import products from '../catalog/products.json' with { type: 'json' };
import { linesOf, ORDER_ID, type Line } from '../shared/order.ts';
import { takeIn } from './intake.ts';
import { Shelf, type Reservation } from './shelf.ts';

let opened: Shelf | null = null;
const shelf = (): Shelf => (opened ??= new Shelf(products));

/** How many there are, by product; what nobody knows is not there. */
export const left = idempotent(async (skus: readonly string[]): Promise<Record<string, number>> =>
  shelf().left(skus),
);

/** Puts the goods of an order aside until it is paid (`order.paid`) or released. Asked again it says the same, and puts no more aside. */
export const reserve = idempotent(async (id: string, lines: readonly Line[]): Promise<Reservation> => {
  if (!ORDER_ID.test(id)) throw new TypeError('An order has an id of 20 hex digits.');
  return shelf().reserve({ id, lines: linesOf(lines) });
});

/** The order is given up: what is put aside for it goes back, and nothing is put aside for it later. */
export const release = idempotent(async (id: string): Promise<void> => shelf().release(id));

export default {
  /** Paid orders and deliveries. Each message is done with by itself, so that one that fails takes no other along. */
  async queue(batch, env) {
    for (const message of batch.messages) {
      try {
        await takeIn(message, shelf(), env.events);
        message.ack();
      } catch (error) {
        console.error(`${message.type} ${message.id}:`, error);
        message.retry();
      }
    }
  },
} satisfies ComponentModule;

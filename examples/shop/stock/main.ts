import type { ComponentModule } from 'fulcrum';
import products from '../catalog/products.json' with { type: 'json' };
import { takeIn } from './intake.ts';
import { Shelf } from './shelf.ts';

let opened: Shelf | null = null;
const shelf = (): Shelf => (opened ??= new Shelf(products));

/** How many there are, by product; what nobody knows is not there. */
export async function left(skus: readonly string[]): Promise<Record<string, number>> {
  return shelf().left(skus);
}

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

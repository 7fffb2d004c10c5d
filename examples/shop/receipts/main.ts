import type { ComponentModule } from 'fulcrum';
import { ORDER_ID } from '../shared/order.ts';
import { ReceiptFile } from './file.ts';
import { send } from './send.ts';

const file = new ReceiptFile();

/** The receipt of an order as a fragment of HTML; null: it is not written yet. */
export async function find(id: string): Promise<string | null> {
  return ORDER_ID.test(id) ? file.read(id) : null;
}

export default {
  /**
   * Paid orders, up to ten at a time. Each is done with by itself: one that fails comes again, alone, and the others do not. By hand:
   * `fulcrum events publish order.paid --data @order.json`.
   */
  async queue(batch) {
    for (const message of batch.messages) {
      try {
        await send(message.data, file);
        message.ack();
      } catch (error) {
        console.error(`${message.type} ${message.id}:`, error);
        message.retry();
      }
    }
  },
} satisfies ComponentModule;

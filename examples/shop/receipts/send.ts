import { orderOf } from '../shared/order.ts';
import type { ReceiptFile } from './file.ts';
import { letter } from './letter.ts';

/**
 * Writes the receipt of an order, and sends it: the example has no mail server, and says in the log what it would have sent. An order that comes
 * again has its receipt already: events are delivered at least once.
 */
export async function send(data: unknown, file: ReceiptFile): Promise<void> {
  const order = orderOf(data);
  if ((await file.read(order.id)) !== null) return;
  const text = letter(order);
  await file.write(order.id, text);
  console.log(`receipt for order ${order.id}: ${text.length} bytes`);
}

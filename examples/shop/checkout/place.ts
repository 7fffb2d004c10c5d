import type { Remote } from 'fulcrum';
import type { Purchase } from '../shared/order.ts';
import type { Orders } from '../shared/orders.ts';

/** Whom checkout needs for a purchase, and where it writes down how far it is. */
export interface Means {
  readonly orders: Orders;
  readonly inventory: Pick<Remote<typeof import('../inventory/main.ts')>, 'reserve' | 'release'>;
  readonly payment: Pick<Remote<typeof import('../payment/main.ts')>, 'charge' | 'cancel'>;
}

/** Why nothing was bought, in words for whoever wanted to pay. */
export class NotPlaced extends Error {}

const GIVEN_UP = 'This purchase was given up, and nothing was charged. Please pay once more.';
const NO_PAYMENT = 'The payment did not go through, and nothing was charged. Please try again.';
const IN_DOUBT = 'The payment did not go through. What may have been charged is given back within minutes.';

/**
 * Buys: puts the goods aside, takes the money, and makes it an order. Each step may be done again, and the purchase is written down before the first:
 * wherever this ends, even with the process, somebody who asks again with the same id goes on with the same purchase, and one that nobody
 * goes on with is taken back by the next tick.
 * @throws NotPlaced where nothing was bought.
 */
export async function place(wanted: Purchase, card: string, means: Means): Promise<void> {
  const { orders, inventory } = means;
  const { purchase, state } = orders.begin(wanted);
  if (state === 'paid' || state === 'told') return;
  if (state !== 'begun') throw new NotPlaced(GIVEN_UP);
  let paymentId: string;
  try {
    const reserved = await inventory.reserve(purchase.id, purchase.lines);
    if (!reserved.held) throw new NotPlaced(shortOf(purchase, reserved));
    paymentId = await charge(purchase, card, means);
  } catch (error) {
    const became = await leave(purchase, means).catch((why: unknown) => {
      console.error(`purchase ${purchase.id} is taken back later:`, why);
      return 'in doubt';
    });
    // Somebody pressed twice, and the other request came through.
    if (became === 'paid') return;
    if (!(error instanceof PaymentFailed)) throw error;
    console.error(`the payment of ${purchase.id}:`, error.cause);
    throw new NotPlaced(became === 'left' ? NO_PAYMENT : IN_DOUBT);
  }
  // The next tick has given it up meanwhile: what was charged goes back.
  if (!orders.pay(purchase.id, paymentId)) throw new NotPlaced(GIVEN_UP);
}

/** Takes back what was done for a purchase, in any order and as often as is needed; of one that is paid nothing. */
export async function leave(
  { id }: Purchase,
  { orders, inventory, payment }: Means,
): Promise<'left' | 'paid'> {
  if (!orders.leave(id)) return 'paid';
  await Promise.all([payment.cancel(id), inventory.release(id)]);
  orders.markLeft(id);
  return 'left';
}

class PaymentFailed extends Error {}

/** The order's id is the key: asked for again, it is the same charge. An answer that does not come is not waited for twice. */
async function charge(purchase: Purchase, card: string, { payment }: Means): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await payment.charge(purchase, card, purchase.id);
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      if (code === 'payment-refused') throw new NotPlaced(message);
      if (attempt === 2 || code === 'timeout') throw new PaymentFailed('', { cause: error });
    }
  }
}

function shortOf({ lines }: Purchase, { sku, left }: { sku: string | null; left?: number }): string {
  if (sku === null) return GIVEN_UP;
  const name = lines.find((line) => line.sku === sku)!.name;
  return left === 0 ? `${name} is sold out.` : `There are only ${left} left of ${name}.`;
}

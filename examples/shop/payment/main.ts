import { createHmac } from 'node:crypto';
import { context, idempotent, type ComponentModule } from 'fulcrum';
import type { Purchase } from '../shared/order.ts';
import { Charges } from './charges.ts';
import { Provider } from './provider.ts';

let opened: Provider | null = null;
const provider = (): Provider => (opened ??= new Provider(new Charges(), paymentIdOf));

/**
 * Takes the money for an order. `key` makes it one charge however often it is asked for: whoever got no answer asks again with the same.
 * @returns the id of the payment. @throws an error with the code `payment-refused` where nothing was taken and nothing will be; after any
 * other it is not known: ask again, or `cancel`.
 */
export const charge = idempotent(
  (order: Pick<Purchase, 'id' | 'totalCents'>, card: string, key: string): Promise<string> =>
    provider().charge(order, card, key, context().signal),
);

/** Gives the money of a charge back, and sees to it that none is taken later: a charge that is under way still comes too late. */
export const cancel = idempotent(async (key: string): Promise<void> => provider().cancel(key));

/** Cannot be guessed, and is the same for the same key. */
function paymentIdOf(key: string): string {
  return `pay_${createHmac('sha256', process.env.PAYMENT_KEY!).update(key).digest('hex').slice(0, 16)}`;
}

export default {} satisfies ComponentModule;

import { once } from 'node:events';
import type { Purchase } from '../shared/order.ts';
import type { Charges } from './charges.ts';

/** Nothing was taken, and nothing will be. Across components an error keeps its code, and not its class. */
class PaymentRefused extends Error {
  override readonly name = 'PaymentRefused';
  readonly code = 'payment-refused';
}

/**
 * Stands in for a payment provider. No money moves; what goes wrong with real ones goes wrong here on demand, by the last digits of the card:
 *
 *   0000    the bank refuses the card
 *   0001    the provider is out of order
 *   0002    it does not answer
 *   0003    it takes the money, and its answer is lost; asked again, it answers
 */
export class Provider {
  readonly #charges: Charges;
  readonly #paymentIdOf: (key: string) => string;

  constructor(charges: Charges, paymentIdOf: (key: string) => string) {
    this.#charges = charges;
    this.#paymentIdOf = paymentIdOf;
  }

  /** @param gone aborts where nobody waits for the answer any more. */
  async charge(
    order: Pick<Purchase, 'id' | 'totalCents'>,
    card: string,
    key: string,
    gone: AbortSignal,
  ): Promise<string> {
    const digits = card.replace(/\D/g, '');
    if (digits.length < 12) throw new PaymentRefused('That is not the number of a card.');
    if (!Number.isSafeInteger(order.totalCents) || order.totalCents <= 0)
      throw new TypeError('What is charged is a whole number of cents, and more than none.');
    if (digits.endsWith('0000')) throw new PaymentRefused('The bank has refused the card.');
    if (digits.endsWith('0001')) throw new Error('The payment provider is out of order.');
    if (digits.endsWith('0002') && !gone.aborted) await once(gone, 'abort');

    const { state, first } = this.#charges.take(key, order.id, order.totalCents);
    if (state !== 'charged') throw new PaymentRefused('This payment has been given up.');
    if (first && digits.endsWith('0003')) throw new Error('The line to the payment provider broke.');
    return this.#paymentIdOf(key);
  }

  cancel(key: string): void {
    this.#charges.cancel(key);
  }
}

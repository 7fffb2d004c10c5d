import { createHmac, randomUUID } from 'node:crypto';

/** Stands in for a payment provider: takes any card but one that ends in 0000. */
export async function charge(amountCents: number, card: string, key: string): Promise<string> {
  const digits = card.replace(/\D/g, '');
  if (digits.length < 12) throw new PaymentRefused('That is not the number of a card.');
  if (digits.endsWith('0000')) throw new PaymentRefused('The bank has refused the card.');
  const receipt = createHmac('sha256', key).update(`${amountCents}:${randomUUID()}`).digest('hex');
  return `pay_${receipt.slice(0, 16)}`;
}

export class PaymentRefused extends Error {
  override readonly name = 'PaymentRefused';
}

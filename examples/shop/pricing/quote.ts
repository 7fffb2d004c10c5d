import type { Line } from '../shared/order.ts';

export interface Quote {
  readonly lines: readonly QuotedLine[];
  /** Of all lines, before the discount. */
  readonly goodsCents: number;
  readonly discountCents: number;
  readonly shippingCents: number;
  readonly totalCents: number;
}

interface QuotedLine extends Line {
  /** Of one piece. */
  readonly priceCents: number;
}

/** Who takes so many of one product pays so much less for them; the most first. */
const DISCOUNTS = [
  { from: 20, percent: 10 },
  { from: 10, percent: 5 },
] as const;

const SHIPPING_CENTS = 495;
const FREE_SHIPPING_FROM_CENTS = 2_500;

/** Nothing but arithmetic, in whole cents: the same lines cost the same wherever it is asked. */
export function quoteFor(lines: readonly Line[], priceOf: (sku: string) => number): Quote {
  const quoted = lines.map(({ sku, quantity }) => ({ sku, quantity, priceCents: priceOf(sku) }));
  const goodsCents = sum(quoted.map(({ quantity, priceCents }) => quantity * priceCents));
  const discountCents = sum(quoted.map(discountOn));
  const paidCents = goodsCents - discountCents;
  const shippingCents = lines.length === 0 || paidCents >= FREE_SHIPPING_FROM_CENTS ? 0 : SHIPPING_CENTS;
  return { lines: quoted, goodsCents, discountCents, shippingCents, totalCents: paidCents + shippingCents };
}

/** Rounded down, so that nobody pays less than the discount says. */
function discountOn({ quantity, priceCents }: QuotedLine): number {
  const percent = DISCOUNTS.find(({ from }) => quantity >= from)?.percent ?? 0;
  return Math.floor((quantity * priceCents * percent) / 100);
}

function sum(cents: readonly number[]): number {
  return cents.reduce((all, one) => all + one, 0);
}

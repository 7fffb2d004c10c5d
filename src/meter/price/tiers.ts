import type { Tier } from '../../model/price-book.ts';
import { decimal, isPositive, least, minus, times, ZERO, type Decimal } from './decimal.ts';

interface TierPart {
  readonly quantity: Decimal;
  readonly price: Decimal;
  readonly amount: Decimal;
}

export interface Tiered {
  /** What of the quantity was free. */
  readonly free: Decimal;
  /** The rest, by the tiers that it fell into. */
  readonly parts: readonly TierPart[];
}

/**
 * Takes `free` off `quantity` and lays the rest into `tiers`, from the first on; an amount for each that it reaches. Borders belong to the
 * tier below. `months` is how many months the quantity is of: borders, which are a month's, are moved by it. Exact.
 */
export function tiered(quantity: Decimal, free: Decimal, tiers: readonly Tier[], months: number): Tiered {
  const taken = least(quantity, free);
  let rest = minus(quantity, taken);
  let from = ZERO;
  const parts: TierPart[] = [];
  for (const tier of tiers) {
    if (!isPositive(rest)) break;
    const to = tier.upTo === null ? null : times(decimal(tier.upTo), decimal(months));
    const within = to === null ? rest : least(rest, minus(to, from));
    from = to ?? from;
    rest = minus(rest, within);
    const price = decimal(tier.price);
    if (isPositive(within)) parts.push({ quantity: within, price, amount: times(within, price) });
  }
  return { free: taken, parts };
}

/** One price, however much it is. */
export function flat(price: number): readonly Tier[] {
  return [{ upTo: null, price }];
}

/** Whether anything in `tiers` costs anything. */
export function hasPrice(tiers: readonly Tier[]): boolean {
  return tiers.some((tier) => tier.price > 0);
}

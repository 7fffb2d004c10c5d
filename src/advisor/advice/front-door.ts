import type { UnitFacts } from '../../model/advice-facts.ts';
import type { PriceBook } from '../../model/price-book.ts';

/**
 * Bill lines that a unit does not pay, by their ids: what is set off by events, schedules and other components alone has no gateway and no load
 * balancer before it. None where it has routes, or nobody knows what sets it off.
 */
export function unpaidFees({ triggers }: UnitFacts, books: readonly PriceBook[]): string[] {
  const { routes, events, schedules, callers } = triggers;
  const isKnown = events.length + schedules.length + callers.length > 0;
  if (routes > 0 || !isKnown) return [];
  return [...new Set(books.flatMap(({ fees }) => fees.map(({ id }) => id)))];
}

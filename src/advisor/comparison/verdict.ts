import { billsOf, type BillOptions } from '../../meter/bill.ts';
import type { Bill } from '../../model/bill.ts';
import type { FunctionResult, Verdict } from '../../model/comparison.ts';
import type { PriceBook } from '../../model/price-book.ts';
import { cents, perMonthOf, type Priced } from './offers.ts';
import type { Replayed } from './replayed.ts';

export interface VerdictInput {
  readonly replayed: readonly Replayed[];
  readonly priced: readonly Priced[];
  readonly books: readonly PriceBook[];
  readonly options: (mode: 'function' | 'service') => BillOptions;
  readonly factor: number;
}

/**
 * The cheapest offer of the one mode against the cheapest of the other, among books of the first one's currency; null where there is none of either.
 * Of several functions also what each would cost by these two, and all of them each in the mode that is cheaper for it.
 */
export function verdictOf(input: VerdictInput): { verdict: Verdict | null; functions: FunctionResult[] } {
  const { priced, books, factor } = input;
  const currency = books[0]?.currency;
  const cheapest = (mode: string): Priced | null =>
    priced
      .filter(({ offer }) => offer.mode === mode && offer.perMonth !== null && offer.currency === currency)
      .reduce<Priced | null>(
        (best, next) =>
          best === null || perMonthOf(next.bills, factor) < perMonthOf(best.bills, factor) ? next : best,
        null,
      );
  const [asFunction, asService] = [cheapest('function'), cheapest('service')];
  if (asFunction === null || asService === null) return { verdict: null, functions: [] };
  const functions = functionsOf(asFunction, asService, input);
  const [lesser, other] =
    perMonthOf(asFunction.bills, factor) <= perMonthOf(asService.bills, factor)
      ? [asFunction.offer, asService.offer]
      : [asService.offer, asFunction.offer];
  const verdict: Verdict = {
    mode: lesser.mode,
    book: lesser.book,
    perMonth: lesser.perMonth!,
    currency: lesser.currency,
    other: { book: other.book, perMonth: other.perMonth! },
    mixed: mixedOf(asFunction, asService, input, lesser.perMonth!),
  };
  return { verdict, functions: functions.length > 1 ? functions : [] };
}

function functionsOf(
  asFunction: Priced,
  asService: Priced,
  { replayed, factor }: VerdictInput,
): FunctionResult[] {
  const of = (mode: string): Replayed => replayed.find((one) => one.mode === mode)!;
  const [functions, services] = [of('function'), of('service')];
  return asFunction.bills
    .map((bill, i): FunctionResult => {
      const service = asService.bills[i]!;
      return {
        name: bill.component,
        arrivals: functions.used[i]!.executed + functions.used[i]!.refused,
        perMonth: {
          function: cents(perMonthOf([bill], factor)),
          service: cents(perMonthOf([service], factor)),
        },
        p99Ms: { function: functions.p99Ms[i]!, service: services.p99Ms[i]! },
        cheaper: isFunctionCheaper(bill, service) ? 'function' : 'service',
      };
    })
    .sort((a, b) => distance(b) - distance(a));
}

/** Billed anew: fixed fees are shared by fewer, tiers and free tiers too. */
function mixedOf(
  asFunction: Priced,
  asService: Priced,
  { replayed, books, options, factor }: VerdictInput,
  best: number,
): Verdict['mixed'] {
  const isFunction = asFunction.bills.map((bill, i) => isFunctionCheaper(bill, asService.bills[i]!));
  const cost = (priced: Priced, taken: boolean): number => {
    const { mode, book } = priced.offer;
    const used = replayed.find((one) => one.mode === mode)!.used.filter((_, i) => isFunction[i] === taken);
    return perMonthOf(
      billsOf(
        used,
        books.find(({ id }) => id === book)!,
        options(mode),
      ),
      factor,
    );
  };
  const functions = isFunction.filter(Boolean).length;
  const services = isFunction.length - functions;
  if (functions === 0 || services === 0) return null;
  const perMonth = cents(cost(asFunction, true) + cost(asService, false));
  return perMonth < best ? { perMonth, functions, services } : null;
}

function isFunctionCheaper(asFunction: Bill, asService: Bill): boolean {
  return perMonthOf([asFunction], 1) <= perMonthOf([asService], 1);
}

function distance({ perMonth }: FunctionResult): number {
  return Math.abs(perMonth.function - perMonth.service);
}

import { billsOf, centsOf, totalOf, whyNotSold, type BillOptions } from '../../meter/bill.ts';
import { monthsBetween } from '../../meter/price/month.ts';
import type { Bill, BillLine } from '../../model/bill.ts';
import type { Offer, OfferLine } from '../../model/comparison.ts';
import type { PriceBook } from '../../model/price-book.ts';
import type { Used } from '../../model/used.ts';
import type { Span } from '../traffic/traced.ts';

const MOST_ASSUMPTIONS = 20;

/** What bills of a stretch are multiplied by to be those of a month. */
export function monthsPer({ fromMs, toMs }: Span): number {
  return 1 / monthsBetween(fromMs, toMs);
}

export interface Priced {
  readonly offer: Offer;
  /** By function; none where it is not sold. */
  readonly bills: readonly Bill[];
}

/** What `book` asks for `used`, one of each function in one mode, a month. */
export function offerOf(
  used: readonly Used[],
  book: PriceBook,
  options: BillOptions,
  factor: number,
): Priced {
  const { id, title, currency, asOf, source } = book;
  const about = { book: id, title, mode: used[0]!.mode, currency, asOf, source };
  for (const each of used) {
    const notSold = whyNotSold(each, book, options);
    if (notSold === null) continue;
    const offer = { ...about, perMonth: null, notSold, lines: [], verified: true, assumptions: [] };
    return { offer, bills: [] };
  }
  const bills = billsOf(used, book, options);
  const lines = linesOf(bills, factor);
  return {
    bills,
    offer: {
      ...about,
      // Of the stretch itself it is what a bill of it says, to the cent.
      perMonth: factor === 1 ? totalOf(bills) : cents(perMonthOf(bills, factor)),
      notSold: null,
      lines,
      verified: lines.every(({ verified }) => verified),
      assumptions: assumptionsOf(bills),
    },
  };
}

/** Not rounded: a bill's total is, and a trace of an hour would be multiplied by 730 afterwards. */
export function perMonthOf(bills: readonly Bill[], factor: number): number {
  return (
    bills.reduce((sum, { lines }) => sum + lines.reduce((all, { amount }) => all + amount, 0), 0) * factor
  );
}

export function cents(amount: number): number {
  return centsOf(amount);
}

function linesOf(bills: readonly Bill[], factor: number): OfferLine[] {
  const byId = Map.groupBy(
    bills.flatMap(({ lines }) => lines),
    ({ id }) => id,
  );
  return [...byId.values()].map((lines): OfferLine => {
    const { id, title, unit } = lines[0]!;
    const sum = (of: (line: BillLine) => number): number =>
      lines.reduce((total, line) => total + of(line), 0) * factor;
    const parts = Map.groupBy(
      lines.flatMap((line) => line.parts),
      ({ price }) => price,
    );
    return {
      id,
      title,
      unit,
      quantity: sum(({ quantity }) => quantity),
      free: sum(({ free }) => free),
      amount: sum(({ amount }) => amount),
      parts: [...parts].map(([price, same]) => ({
        price,
        quantity: same.reduce((total, { quantity }) => total + quantity, 0) * factor,
        amount: same.reduce((total, { amount }) => total + amount, 0) * factor,
      })),
      verified: lines.every(({ verified }) => verified),
    };
  });
}

/** Those that hold for all are said once, the others of whom they are. */
function assumptionsOf(bills: readonly Bill[]): string[] {
  const whose = new Map<string, string[]>();
  for (const { component, assumptions } of bills) {
    for (const assumption of assumptions)
      whose.set(assumption, [...(whose.get(assumption) ?? []), component]);
  }
  const said = [...whose].map(([assumption, names]) =>
    names.length === bills.length
      ? assumption
      : `${names.length === 1 ? names[0]! : `${names.length.toLocaleString('en-GB')} functions`}: ${assumption}`,
  );
  return said.length <= MOST_ASSUMPTIONS
    ? said
    : [...said.slice(0, MOST_ASSUMPTIONS), `… and ${said.length - MOST_ASSUMPTIONS} more of the like`];
}

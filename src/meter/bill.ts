import { FulcrumError } from '../base/errors.ts';
import type { Bill, BillLine } from '../model/bill.ts';
import type { PriceBook } from '../model/price-book.ts';
import type { Used } from '../model/used.ts';
import { optionsOf, type BillOptions } from './bill-options.ts';
import { decimal, plus, times, toCents, toNumber, ZERO, type Decimal } from './price/decimal.ts';
import { coveredMs, timeWeight, type Draft, type Drafted } from './price/draft.ts';
import { feeLines } from './price/fee-lines.ts';
import { functionLines, whyNoFunction } from './price/function-lines.ts';
import { machinesFor, ownMachineLines, whyNoMachine } from './price/machine-lines.ts';
import { monthsBetween } from './price/month.ts';
import { serviceLines, whyNoService } from './price/service-lines.ts';
import { flat, hasPrice, tiered, type Tiered } from './price/tiers.ts';
import { isVerified } from './price/verified.ts';

export { sized, type Sized } from './price/size.ts';
export type { BillOptions } from './bill-options.ts';

/**
 * What `used` costs under `book` in the mode that it ran in. A stretch that is no whole calendar month is billed as its part of a month of
 * 730 hours: fixed prices, free tiers and tiers' borders are scaled to it.
 * @throws FulcrumError `usage` where the book does not sell that: see {@link whyNotSold}.
 */
export function billOf(used: Used, book: PriceBook, options: BillOptions = {}): Bill {
  return billsOf([used], book, options)[0]!;
}

/**
 * The same of all components of one account in one stretch, in the order of `used`. They share the free tier and the tiers by what each has of
 * the quantity, and fixed fees by how long each was there. Of one component there may be several, of times apart.
 * @throws FulcrumError `usage` as {@link billOf}, for the first that is not sold.
 */
export function billsOf(used: readonly Used[], book: PriceBook, options: BillOptions = {}): readonly Bill[] {
  for (const each of used) {
    const why = whyNotSold(each, book, options);
    if (why !== null)
      throw new FulcrumError('usage', why, { details: { book: book.id, component: each.component } });
  }
  if (used.length === 0) return [];
  const months =
    options.months ??
    monthsBetween(
      used.reduce((from, each) => Math.min(from, each.fromMs), Infinity),
      used.reduce((to, each) => Math.max(to, each.toMs), -Infinity),
    );
  const machines = machinesFor(used, book, options);
  const drafted = used.map((each) =>
    draftedOf(each, book, optionsOf(each.component, options), months, machines),
  );
  const account = accountOf(drafted, months, options.freeTier === true);
  return used.map((each, i) => billFrom(each, book, drafted[i]!, account));
}

/** Sums of several bills, each line exact, rounded to cents once. */
export function totalOf(bills: readonly Bill[]): number {
  return toCents(bills.flatMap((bill) => bill.lines.map(exactAmount)).reduce(plus, ZERO));
}

/** One amount of a line, rounded to cents as the total is: `toFixed` would make 2.83 of 2.835. */
export function centsOf(amount: number): number {
  return toCents(decimal(amount));
}

/** Why `book` cannot sell what `used` needs, as a sentence; null where it can. */
export function whyNotSold(used: Used, book: PriceBook, options: BillOptions = {}): string | null {
  const own = optionsOf(used.component, options);
  if (book.machine !== null) return whyNoMachine(used, book, own);
  return used.mode === 'function' ? whyNoFunction(used, book, own) : whyNoService(used, book, own);
}

function draftedOf(
  used: Used,
  book: PriceBook,
  options: BillOptions,
  months: number,
  machines: number,
): Drafted {
  const without = new Set(options.without);
  const compute =
    book.machine !== null
      ? ownMachineLines(used, book, options, months, machines)
      : used.mode === 'function'
        ? functionLines(used, book, options)
        : serviceLines(used, book, options);
  const fees = feeLines(used, book, without);
  const drafts = [...compute.drafts, ...monthLine(used, book, months), ...fees.drafts];
  return {
    drafts: drafts.filter((draft) => draft.quantity > 0 && hasPrice(draft.tiers) && !without.has(draft.id)),
    assumptions: [...compute.assumptions, ...fees.assumptions, ...book.notes],
  };
}

/** A monthly price of the account. */
function monthLine(used: Used, book: PriceBook, months: number): Draft[] {
  const prices = used.mode === 'function' ? book.function : book.service;
  if (book.machine !== null || prices === null) return [];
  return [
    {
      id: 'month',
      title: 'Monthly price',
      quantity: months,
      unit: 'months',
      tiers: flat(prices.perMonth),
      freePerMonth: 0,
      restsOn: [`${used.mode}.perMonth`],
      weight: timeWeight(used),
    },
  ];
}

/** One line of the whole account. */
interface AccountLine {
  readonly tiered: Tiered;
  readonly whole: Decimal;
  /** Of the components' quantities, or of their weights. */
  readonly sum: number;
  readonly bearers: number;
}

function accountOf(
  drafted: readonly Drafted[],
  months: number,
  freeTier: boolean,
): ReadonlyMap<string, AccountLine> {
  const byId = Map.groupBy(
    drafted.flatMap((each) => each.drafts),
    lineKey,
  );
  return new Map(
    [...byId].map(([key, drafts]): [string, AccountLine] => {
      const { weight, tiers, freePerMonth } = drafts[0]!;
      const whole =
        weight === null
          ? drafts.map((draft) => decimal(draft.quantity)).reduce(plus)
          : decimal(onceOf(drafts));
      const free = freeTier ? times(decimal(freePerMonth), decimal(months)) : ZERO;
      const sum = drafts.reduce((total, draft) => total + (draft.weight ?? draft.quantity), 0);
      return [key, { tiered: tiered(whole, free, tiers, months), whole, sum, bearers: drafts.length }];
    }),
  );
}

const HOUR_MS = 3_600_000;

/** How much there is of what is there once for all its bearers. */
function onceOf(drafts: readonly Draft[]): number {
  const most = drafts.reduce((largest, { quantity }) => Math.max(largest, quantity), 0);
  const stretches = drafts.flatMap(({ stretch }) => (stretch === undefined ? [] : [stretch]));
  return stretches.length === 0 ? most : coveredMs(stretches) / HOUR_MS;
}

/** Components of both modes may meet under one id, at two prices. */
function lineKey(draft: Draft): string {
  return `${draft.id} ${draft.restsOn[0]}`;
}

function billFrom(
  used: Used,
  book: PriceBook,
  drafted: Drafted,
  account: ReadonlyMap<string, AccountLine>,
): Bill {
  const lines = drafted.drafts.map((draft) => lineOf(draft, account.get(lineKey(draft))!, book));
  return {
    component: used.component,
    book: book.id,
    mode: used.mode,
    currency: book.currency,
    total: toCents(lines.map(exactAmount).reduce(plus, ZERO)),
    lines,
    assumptions: drafted.assumptions,
  };
}

function lineOf(draft: Draft, account: AccountLine, book: PriceBook): BillLine {
  // Alone there is nothing to share, and so nothing to lose by a division.
  const alone = account.bearers === 1;
  const share = alone ? 1 : (draft.weight ?? draft.quantity) / account.sum;
  const shared = (quantity: Decimal): Decimal => (alone ? quantity : decimal(toNumber(quantity) * share));
  const parts = account.tiered.parts.map((part) => {
    const quantity = toNumber(shared(part.quantity));
    return {
      quantity,
      price: toNumber(part.price),
      amount: toNumber(times(decimal(quantity), part.price)),
    };
  });
  return {
    id: draft.id,
    title: draft.title,
    quantity: draft.weight === null || alone ? draft.quantity : toNumber(shared(account.whole)),
    unit: draft.unit,
    free: toNumber(shared(account.tiered.free)),
    parts,
    amount: toNumber(parts.map(exactPart).reduce(plus, ZERO)),
    verified: draft.restsOn.every((path) => isVerified(book, path)),
  };
}

function exactPart(part: BillLine['parts'][number]): Decimal {
  return times(decimal(part.quantity), decimal(part.price));
}

function exactAmount(line: BillLine): Decimal {
  return line.parts.map(exactPart).reduce(plus, ZERO);
}

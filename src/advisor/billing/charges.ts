import type { BillLine } from '../../model/bill.ts';
import type { Mode } from '../../model/app.ts';
import type { BillScenario, UsedBasis } from '../../model/bill-report.ts';
import type { PriceBook } from '../../model/price-book.ts';
import { billsOf, whyNotSold } from '../../meter/bill.ts';
import type { OwnUsage } from '../own/own-usage.ts';
import { accountsOfDay, billOptions, soldBy, type BillSettings } from './accounts.ts';
import { daysOf, stretchOf, unitDays, type UnitDays } from './unit-days.ts';

const DAY_MS = 86_400_000;

/** One line of one unit's bill of one day, under one book in one mode. */
export interface Charge {
  readonly unit: string;
  readonly scenario: BillScenario;
  readonly mode: Mode;
  readonly basis: UsedBasis;
  /** What of the day it is for, in ms since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly book: PriceBook;
  readonly line: BillLine;
}

/**
 * Every line of every day in every scenario, under each of the books that sells it all, by day. One at a time: a month of many components and books
 * is a million of them.
 * @param units what {@link unitDays} says of the same usage and seed, where that is known already.
 */
export function* chargesOf(
  usage: OwnUsage,
  request: BillSettings & { readonly books: readonly PriceBook[]; readonly seed: number },
  units: readonly UnitDays[] = unitDays(usage, request.seed),
): Generator<Charge> {
  if (units.length === 0) return;
  const stretch = stretchOf(units, usage);
  for (const day of daysOf(stretch)) {
    const dayMs = Math.floor(day.fromMs / DAY_MS) * DAY_MS;
    const accounts = accountsOfDay(units, day, stretch);
    for (const book of request.books) {
      for (const account of soldBy(book, accounts)) {
        const { scenario, used } = account;
        const options = billOptions(units, account, request);
        if (used.some((each) => whyNotSold(each, book, options) !== null)) continue;
        for (const [i, bill] of billsOf(used, book, options).entries()) {
          const { component: unit, mode: its, fromMs: beganMs, toMs } = used[i]!;
          const basis = basisIn(units, unit, scenario, dayMs, its);
          for (const line of bill.lines)
            yield { unit, scenario, mode: its, basis, fromMs: beganMs, toMs, book, line };
        }
      }
    }
  }
}

function basisIn(
  units: readonly UnitDays[],
  unit: string,
  scenario: BillScenario,
  dayMs: number,
  mode: Mode,
): UsedBasis {
  return units
    .find((one) => one.unit === unit)!
    .days.find((day) => day.scenario === scenario && day.dayMs === dayMs && day.used.mode === mode)!.basis;
}

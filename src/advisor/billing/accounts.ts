import type { Mode } from '../../model/app.ts';
import type { BillScenario, UsedBasis } from '../../model/bill-report.ts';
import type { PriceBook } from '../../model/price-book.ts';
import type { Used } from '../../model/used.ts';
import type { BillOptions } from '../../meter/bill.ts';
import { monthsBetween } from '../../meter/price/month.ts';
import { mergedUsed, type Stretch } from '../../meter/used.ts';
import type { DailyUsed, UnitDays } from './unit-days.ts';

export const MODES = ['function', 'service'] as const;
export const SCENARIOS = ['as-it-ran', 'function', 'service'] as const;

/** What one mode's part of a scenario is priced from: what providers would see as one account. */
export interface Account {
  readonly scenario: BillScenario;
  /** Null: both, as one's own machine runs them. */
  readonly mode: Mode | null;
  /** One of each unit; in `as-it-ran` one for each stretch in which it was a service. */
  readonly used: readonly Used[];
  /** What free amounts, tiers and monthly prices are of. */
  readonly months: number;
  readonly basis: UsedBasis | 'mixed';
}

/** The accounts of a whole stretch; those with nothing in them are left out. */
export function accountsOf(units: readonly UnitDays[], stretch: Stretch): Account[] {
  const months = monthsBetween(stretch.fromMs, stretch.toMs);
  return SCENARIOS.flatMap((scenario) =>
    MODES.flatMap((mode): Account[] => {
      const days = units.flatMap((unit) => daysIn(unit, scenario, mode));
      const used = units.flatMap((unit) => wholeOf(unit, scenario, mode));
      return used.length === 0 ? [] : [{ scenario, mode, used, months, basis: basisOf(days) }];
    }),
  );
}

/** The same of one day of it, which has its share of what is a month's: all days together have what the whole stretch has. */
export function accountsOfDay(units: readonly UnitDays[], day: Stretch, whole: Stretch): Account[] {
  const share = (day.toMs - day.fromMs) / (whole.toMs - whole.fromMs);
  const months = monthsBetween(whole.fromMs, whole.toMs) * share;
  const dayMs = dayOf(day.fromMs) * DAY_MS;
  return SCENARIOS.flatMap((scenario) =>
    MODES.flatMap((mode): Account[] => {
      const days = units.flatMap((unit) => daysIn(unit, scenario, mode).filter((one) => one.dayMs === dayMs));
      return days.length === 0
        ? []
        : [{ scenario, mode, used: days.map((one) => one.used), months, basis: basisOf(days) }];
    }),
  );
}

/** Those of `accounts` that `book` has prices for: a machine of one's own runs both modes at once, as they were. */
export function soldBy(book: PriceBook, accounts: readonly Account[]): Account[] {
  if (book.machine === null) return accounts.filter(({ mode }) => mode !== null && book[mode] !== null);
  const [ran, others] = [
    accounts.filter(({ scenario }) => scenario === 'as-it-ran'),
    accounts.filter(({ scenario }) => scenario !== 'as-it-ran'),
  ];
  if (ran.length < 2) return [...ran, ...others];
  const used = ran.flatMap((account) => account.used);
  const { months } = ran[0]!;
  return [{ scenario: 'as-it-ran', mode: null, used, months, basis: basisOf(ran) }, ...others];
}

function daysIn({ days }: UnitDays, scenario: BillScenario, mode: Mode): readonly DailyUsed[] {
  return days.filter((day) => day.scenario === scenario && day.used.mode === mode);
}

function wholeOf(unit: UnitDays, scenario: BillScenario, mode: Mode): Used[] {
  const used = daysIn(unit, scenario, mode).map((day) => day.used);
  if (used.length === 0) return [];
  if (scenario !== 'as-it-ran') return [mergedUsed(used, unit.stretch)];
  // A function costs when it is called, whenever that was; a service for as long as it was one.
  if (mode === 'function') return [mergedUsed(used, covering(used))];
  return runsOf(used).map((some) => mergedUsed(some, covering(some)));
}

const DAY_MS = 86_400_000;

/** What follows each other without a break. */
function runsOf(used: readonly Used[]): Used[][] {
  const runs: Used[][] = [];
  for (const one of used) {
    const last = runs.at(-1);
    if (last !== undefined && last.at(-1)!.toMs >= one.fromMs) last.push(one);
    else runs.push([one]);
  }
  return runs;
}

function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

function covering(used: readonly Used[]): Stretch {
  return {
    fromMs: Math.min(...used.map(({ fromMs }) => fromMs)),
    toMs: Math.max(...used.map(({ toMs }) => toMs)),
  };
}

/** What several are known by together: days on which nothing came do not count where there are others. */
export function basisOf(days: readonly { readonly basis: UsedBasis | 'mixed' }[]): UsedBasis | 'mixed' {
  const kinds = new Set(days.map(({ basis }) => basis));
  if (kinds.size > 1) kinds.delete('idle');
  const [only] = kinds;
  return kinds.size === 1 ? only! : kinds.size === 0 ? 'idle' : 'mixed';
}

export interface BillSettings {
  readonly freeTier: boolean;
  /** Ids of lines or fees that are left out. */
  readonly without: readonly string[];
}

/** What an account's bills take into account: each unit's own settings; of both modes those of the one that it has. */
export function billOptions(
  units: readonly UnitDays[],
  { mode, months }: Pick<Account, 'mode' | 'months'>,
  { freeTier, without }: BillSettings,
): BillOptions {
  const components = units.flatMap(({ unit, facts, days }) => {
    if (facts === null) return [];
    const its = mode ?? facts.mode;
    const { concurrency, memoryBytes } = facts[its];
    // Minutes of a service that were written long ago tell no memory.
    const untold = days.some(({ used }) => used.mode === its && used.wholeMs > 0 && used.byteMs === 0);
    const own = { concurrency, ...(untold && { memoryBytes }) };
    return [[unit, its === 'service' ? { ...own, minReplicas: facts.service.minReplicas } : own] as const];
  });
  return { months, freeTier, without, components: Object.fromEntries(components) };
}

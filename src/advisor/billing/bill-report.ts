import type { Bill } from '../../model/bill.ts';
import type { Mode } from '../../model/app.ts';
import type {
  BillOffer,
  BillReport,
  BillRow,
  BillScenario,
  ScenarioCost,
  UnitUsed,
} from '../../model/bill-report.ts';
import type { PriceBook } from '../../model/price-book.ts';
import type { Used } from '../../model/used.ts';
import type { Stretch } from '../../meter/used.ts';
import { cents, monthsPer, offerOf, perMonthOf, type Priced } from '../comparison/offers.ts';
import { modelNotes } from '../own/models-of-facts.ts';
import type { OwnUsage } from '../own/own-usage.ts';
import {
  accountsOf,
  accountsOfDay,
  basisOf,
  billOptions,
  MODES,
  SCENARIOS,
  soldBy,
  type Account,
  type BillSettings,
} from './accounts.ts';
import { daysOf, stretchOf, unitDays, type UnitDays } from './unit-days.ts';

const GB_MS = 1024 ** 3 * 1_000;

export interface BillRequest extends BillSettings {
  /** Not empty. */
  readonly books: readonly PriceBook[];
  readonly by: BillReport['by'];
  /** Of replays. */
  readonly seed: number;
}

/** An account under one book. */
interface Offered {
  readonly account: Account;
  readonly book: PriceBook;
  readonly priced: Priced;
  /** Not rounded; null where it is not sold. */
  readonly exact: number | null;
}

/** By scenario and mode: the offer that is the cheapest. */
type Cheapest = Readonly<Record<BillScenario, readonly Offered[] | null>>;

/**
 * What an app used, what that cost as it ran, and what it would have cost in each mode, under each book. A pure function. Throws as bills and replays
 * do.
 * @param units what {@link unitDays} says of the same usage and seed, where that is known already.
 */
export function billReport(
  usage: OwnUsage,
  request: BillRequest,
  units: readonly UnitDays[] = unitDays(usage, request.seed),
): BillReport {
  const stretch = stretchOf(units, usage);
  const options = (account: Account) => billOptions(units, account, request);
  const accounts = accountsOf(units, stretch);
  const offered = request.books.flatMap((book) =>
    soldBy(book, accounts).map((account): Offered => {
      const priced = offerOf(account.used, book, options(account), 1);
      return { account, book, priced, exact: priced.offer.perMonth === null ? null : amountOf(priced.bills) };
    }),
  );
  const cheapest = cheapestOf(accounts, offered, request.books[0]!.currency);
  const { by } = request;
  const factor = units.length === 0 ? 0 : monthsPer(stretch);
  return {
    app: usage.app,
    environment: usage.environment,
    ...stretch,
    gaps: usage.gaps,
    units: units.map(usedOf),
    books: request.books.map(({ id, title, currency, asOf, source }) => ({
      id,
      title,
      currency,
      asOf,
      source,
    })),
    offers: offered.toSorted(inOrder).map((one) => toldOffer(one, factor)),
    cheapest: perScenario((scenario) => costOf(cheapest[scenario], factor)),
    by,
    rows:
      by === 'component'
        ? units.map((unit) => componentRow(unit, cheapest))
        : by === 'day'
          ? dayRows(units, stretch, cheapest, options)
          : [],
    notes: notesOf(units, usage, request),
  };
}

/** By scenario and mode, the cheapest first. */
function inOrder(a: Offered, b: Offered): number {
  return (
    SCENARIOS.indexOf(a.account.scenario) - SCENARIOS.indexOf(b.account.scenario) ||
    (a.account.mode ?? 'x').localeCompare(b.account.mode ?? 'x') ||
    (a.exact ?? Infinity) - (b.exact ?? Infinity)
  );
}

function toldOffer({ account, book, exact, priced: { offer } }: Offered, factor: number): BillOffer {
  const { notSold, lines, verified, assumptions } = offer;
  return {
    scenario: account.scenario,
    mode: account.mode,
    book: book.id,
    currency: book.currency,
    total: offer.perMonth,
    exact,
    perMonth: exact === null ? null : cents(exact * factor),
    notSold,
    basis: account.basis,
    lines,
    verified,
    assumptions,
  };
}

/** A machine of one's own counts only where nothing else is asked for: it is there whatever runs on it. */
function cheapestOf(accounts: readonly Account[], offered: readonly Offered[], currency: string): Cheapest {
  const alike = offered.filter(({ book, exact }) => book.currency === currency && exact !== null);
  const rented = alike.filter(({ book }) => book.machine === null);
  const best = (from: readonly Offered[], scenario: BillScenario, mode: Mode | null): Offered | undefined =>
    from
      .filter(({ account }) => account.scenario === scenario && account.mode === mode)
      .toSorted((a, b) => a.exact! - b.exact!)[0];
  return perScenario((scenario) => {
    const modes = accounts.filter((account) => account.scenario === scenario).map(({ mode }) => mode);
    const each = modes.map((mode) => best(rented, scenario, mode) ?? best(alike, scenario, mode));
    if (each.length > 0 && !each.includes(undefined)) return each.map((one) => one!);
    const both = best(alike, scenario, null);
    return both === undefined ? null : [both];
  });
}

function costOf(offers: readonly Offered[] | null, factor: number): ScenarioCost | null {
  if (offers === null) return null;
  const amount = offers.reduce((sum, { exact }) => sum + exact!, 0);
  return {
    total: cents(offers.reduce((sum, { priced }) => sum + priced.offer.perMonth!, 0)),
    exact: amount,
    perMonth: cents(amount * factor),
    currency: offers[0]!.book.currency,
    books: Object.fromEntries(
      offers.flatMap(({ account, book }) =>
        (account.mode === null ? MODES : [account.mode]).map((mode) => [mode, book.id]),
      ),
    ),
    verified: offers.every(({ priced }) => priced.offer.verified),
    basis: basisOf(offers.map(({ account }) => account)),
  };
}

function componentRow({ unit, facts, counted, days }: UnitDays, cheapest: Cheapest): BillRow {
  return {
    name: unit,
    ran: modesOf(counted, facts?.mode ?? null),
    executed: sumOf(counted, (used) => used.executed),
    billedMs: sumOf(counted, (used) => used.wholeMs),
    cost: perScenario((scenario) => {
      const bills = cheapest[scenario]?.flatMap(({ priced }) => priced.bills) ?? null;
      return bills === null ? null : amountOf(bills.filter(({ component }) => component === unit));
    }),
    basis: perScenario((scenario) => basisOf(days.filter((day) => day.scenario === scenario))),
  };
}

function dayRows(
  units: readonly UnitDays[],
  stretch: Stretch,
  cheapest: Cheapest,
  options: (account: Account) => ReturnType<typeof billOptions>,
): BillRow[] {
  if (units.length === 0) return [];
  return daysOf(stretch).map((day): BillRow => {
    const accounts = accountsOfDay(units, day, stretch);
    const of = (scenario: BillScenario): Account[] => accounts.filter((one) => one.scenario === scenario);
    const ran = of('as-it-ran').flatMap(({ used }) => used);
    return {
      name: new Date(day.fromMs).toISOString().slice(0, 10),
      ran: modesOf(ran, null),
      executed: sumOf(ran, (used) => used.executed),
      billedMs: sumOf(ran, (used) => used.wholeMs),
      cost: perScenario((scenario) => {
        const best = cheapest[scenario];
        if (best === null) return null;
        return amountOf(
          best.flatMap(({ account, book }) =>
            soldBy(book, of(scenario))
              .filter(({ mode }) => mode === account.mode)
              .flatMap((one) => offerOf(one.used, book, options(one), 1).bills),
          ),
        );
      }),
      basis: perScenario((scenario) => basisOf(of(scenario))),
    };
  });
}

function usedOf({ unit, members, facts, counted }: UnitDays): UnitUsed {
  const sum = (of: (used: Used) => number): number => sumOf(counted, of);
  const measured = counted.filter(({ instances }) => instances.livedMs > 0);
  return {
    unit,
    members,
    modes: modesOf(counted, facts?.mode ?? null),
    executed: sum((used) => used.executed),
    internal: sum((used) => used.internal),
    refused: sum((used) => used.refused),
    cold: sum((used) => used.cold),
    billedMs: sum((used) => used.wholeMs),
    cpuMs: sum((used) => used.cpuMs),
    bytesIn: sum((used) => used.bytesIn),
    bytesOut: sum((used) => used.bytesOut),
    instances: {
      started: sum(({ instances }) => instances.started),
      livedMs: sum(({ instances }) => instances.livedMs),
      heldGbSeconds: sum(({ instances }) => instances.heldByteMs) / GB_MS,
      usedGbSeconds: measured.every(({ instances }) => instances.usedByteMs === null)
        ? null
        : sum(({ instances }) => instances.usedByteMs ?? 0) / GB_MS,
      cpuMs: sum(({ instances }) => instances.cpuMs),
    },
  };
}

function notesOf(units: readonly UnitDays[], usage: OwnUsage, { freeTier, by }: BillRequest): string[] {
  const replayed = units.filter(({ days }) => days.some(({ basis }) => basis === 'replayed'));
  const estimated = units.filter(({ days }) => days.some(({ basis }) => basis === 'estimated'));
  const unused = usage.facts.filter((facts) => !units.some(({ unit }) => unit === facts.unit));
  const incomplete = usage.components.filter(({ logged }) => logged < LOGGED);
  return [
    ...(unused.length === 0 || units.length === 0
      ? []
      : [`Nothing was counted of ${namesOf(unused.map(({ unit }) => unit))}.`]),
    ...(estimated.length === 0
      ? []
      : [
          `${namesOf(estimated.map(({ unit }) => unit))}: not in what serves now, or without arrivals that are still logged; the other mode is what was counted, without starts.`,
        ]),
    ...(incomplete.length === 0 || replayed.length === 0
      ? []
      : [
          `Not all arrivals are logged any more, or yet, of ${namesOf(incomplete.map(({ name }) => name))} (${percent(Math.min(...incomplete.map(({ logged }) => logged)))} % at the least): the others are placed at random within the minutes that counted them.`,
        ]),
    ...startNotes(replayed),
    ...(freeTier ? ['Free tiers are taken off as if nothing else used the account.'] : []),
    ...(by === 'day'
      ? [
          'Each day is billed by itself: what a month has of tiers, free amounts and fixed prices is shared out by the hour.',
        ]
      : []),
  ];
}

/** Of starts: whose are not as they were measured. */
function startNotes(replayed: readonly UnitDays[]): string[] {
  const unmeasured = replayed.filter(({ facts }) => facts !== null && modelNotes(facts).length > 0);
  if (unmeasured.length === 0) return [];
  const whose =
    unmeasured.length === replayed.length
      ? 'Starts'
      : `Starts of ${namesOf(unmeasured.map(({ unit }) => unit))}`;
  return [`${whose} are replayed as the engines' were measured, where fewer than 20 were measured here.`];
}

function percent(share: number): number {
  return Math.floor(share * 100);
}

/** More missing than this is told. */
const LOGGED = 0.98;
const MOST_NAMES = 5;

function namesOf(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return more > 0 ? `${names.slice(0, MOST_NAMES).join(', ')} and ${more} more` : names.join(', ');
}

/** @param present comes last. */
function modesOf(counted: readonly Used[], present: Mode | null): Mode[] {
  const ran = MODES.filter((mode) => counted.some((used) => used.mode === mode));
  return ran.toSorted((a, b) => Number(a === present) - Number(b === present));
}

function amountOf(bills: readonly Bill[]): number {
  return perMonthOf(bills, 1);
}

function sumOf(used: readonly Used[], of: (used: Used) => number): number {
  return used.reduce((total, one) => total + of(one), 0);
}

function perScenario<T>(of: (scenario: BillScenario) => T): Record<BillScenario, T> {
  const [ran, asFunction, asService] = SCENARIOS;
  return { [ran]: of(ran), [asFunction]: of(asFunction), [asService]: of(asService) };
}

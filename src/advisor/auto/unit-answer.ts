/** What an app's usage says of one of its units, for a window of `auto`. */
import { FulcrumError } from '../../base/errors.ts';
import { mergedUsed } from '../../meter/used.ts';
import type { UnitFacts } from '../../model/advice-facts.ts';
import type { AdvisorSettings } from '../../model/advisor-settings.ts';
import type { Advice } from '../../model/advice.ts';
import type { PriceBook } from '../../model/price-book.ts';
import { advise } from '../advice/advise.ts';
import { ownRequest } from '../advice/own-request.ts';
import { Prices } from '../advice/prices.ts';
import type { AdviceRequest } from '../advice/request.ts';
import { modelsOfFacts } from '../own/models-of-facts.ts';
import type { OwnUsage } from '../own/own-usage.ts';

const SAMPLES = 200;
const MONTH_MS = 730 * 3_600_000;

/** Plain data. */
export interface UnitQuestion {
  readonly facts: UnitFacts;
  readonly settings: AdvisorSettings;
  readonly books: readonly PriceBook[];
}

export interface UnitAnswer {
  readonly executed: number;
  /** Time for which usage may be missing. */
  readonly gapsMs: number;
  /** What its present mode has cost, as it was counted, a month; null where nothing was, or nobody sells that. */
  readonly perMonth: number | null;
  /** Null where nobody has used any of the app yet. */
  readonly advice: Advice | null;
}

/** A pure function, which takes its time. Throws `bad-request` as `advise`. */
export function answerOf(usage: OwnUsage, { facts, settings, books }: UnitQuestion): UnitAnswer {
  const executed = arrivalsOf(usage, facts);
  // Of an app that nobody has used yet nothing can be said.
  if (usage.components.length === 0) return { executed, gapsMs: 0, perMonth: null, advice: null };
  const request = ownRequest(usage, facts, {
    ...{ settings, books, seed: 1, samples: SAMPLES, freeTier: false, without: [] },
    ...{ detail: 'verdict', mayBeNew: false },
  });
  const advice = advise(request);
  return { executed, gapsMs: request.gapsMs, perMonth: costOf(request, advice), advice };
}

function arrivalsOf(usage: OwnUsage, { members }: UnitFacts): number {
  return usage.components.reduce(
    (sum, { name, traffic }) => sum + (members.includes(name) ? traffic.arrivedAtMs.length : 0),
    0,
  );
}

/** What its present mode has cost, as it was counted, a month; null where nothing was, or nobody sells that. */
function costOf(request: AdviceRequest, advice: Advice): number | null {
  const { facts, measured, books } = request;
  const outlook = advice.modes[facts.mode];
  const book = books.find(({ id }) => id === outlook.book);
  const own = measured.filter(({ mode }) => mode === facts.mode);
  if (book === undefined || own.length === 0) return null;
  const { fromMs, toMs } = spanOf(request);
  const seenMs = own.reduce((first, used) => Math.min(first, used.fromMs), Infinity);
  // A service is there for as long as it was seen; a function costs nothing while it is not.
  const span = { fromMs: facts.mode === 'service' ? Math.max(fromMs, seenMs) : fromMs, toMs };
  if (span.toMs <= span.fromMs) return null;
  const cost = new Prices(request, modelsOfFacts(facts)).costOf(mergedUsed(own, span), book);
  return (cost * MONTH_MS) / (span.toMs - span.fromMs) + outlook.operations;
}

/** Own usage is known arrival by arrival. */
function spanOf({ traffic, facts }: AdviceRequest): { readonly fromMs: number; readonly toMs: number } {
  if (traffic.kind !== 'arrivals') throw new FulcrumError('internal', `'${facts.unit}' has no arrivals.`);
  return traffic.traffic;
}

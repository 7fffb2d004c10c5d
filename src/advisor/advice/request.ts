import type { AdvisorSettings, UnitFacts } from '../../model/advice-facts.ts';
import type { Advice } from '../../model/advice.ts';
import type { Mode } from '../../model/app.ts';
import type { PriceBook } from '../../model/price-book.ts';
import type { MinuteTraffic, Traffic } from '../../model/simulation.ts';
import type { Used } from '../../model/used.ts';

/** What advice is asked for. Plain data, as it goes to a thread. The same request gives the same advice. */
export interface AdviceRequest {
  /** What is known of it, or was described. */
  readonly facts: UnitFacts;
  readonly source: Advice['evidence']['source'];
  /** False: it does not exist yet. */
  readonly exists: boolean;
  readonly traffic: AdviceTraffic;
  /** What it used in the mode or modes that it ran in, as it was counted; empty where nothing was. */
  readonly measured: readonly Used[];
  /** In which usage may be missing, in ms. */
  readonly gapsMs: number;
  readonly settings: AdvisorSettings;
  /** Those that `settings` names, and the machine's. */
  readonly books: readonly PriceBook[];
  readonly seed: number;
  /** `verdict`: without curve, reasons and flips, for a round that only decides. `reasons`: without curve and flips, for a line among others. */
  readonly detail: 'whole' | 'reasons' | 'verdict';
  /** 200. */
  readonly samples: number;
  readonly freeTier: boolean;
  readonly without: readonly string[];
  /** How far what was described may be from the truth; null where it was measured. */
  readonly doubt: Doubt | null;
}

/** Each sample takes all of it times a factor of its own, log-normal with median 1: standard deviations of its logarithm. */
export interface Doubt {
  readonly rate: number;
  /** Of durations and CPU time together. */
  readonly duration: number;
}

/** How far advice has come; `done` of `total`, in units of its own. */
export interface AdviceProgress {
  readonly step: 'replaying' | 'break-even' | 'curve' | 'reasons';
  readonly done: number;
  readonly total: number;
}

/**
 * Arrivals as they came; or what is known by the minute alone, and is placed anew within its minutes in each sample. `times`: so much of it,
 * by leaving some out or having all come several times; absent: as it is.
 */
export type AdviceTraffic =
  | { readonly kind: 'arrivals'; readonly traffic: Traffic; readonly times?: number }
  | { readonly kind: 'minutes'; readonly traffic: MinuteTraffic; readonly times?: number };

export type PerMode<T> = Readonly<Record<Mode, T>>;

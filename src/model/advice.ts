import type { Mode, ModeSetting } from './app.ts';
import type { OfferLine } from './comparison.ts';

/** What the advisor says of one component or group, with all that it rests on. Plain data: `fulcrum advise --json`. */
export interface Advice {
  readonly unit: string;
  readonly modeSetting: ModeSetting;
  /** What it runs as; null where it is not there yet. */
  readonly present: Mode | null;
  readonly evidence: Evidence;
  readonly verdict: AdviceVerdict;
  /** What stands against a mode, those first that make it impossible. */
  readonly obstacles: readonly Obstacle[];
  /** What was replayed and priced, each mode. */
  readonly modes: Readonly<Record<Mode, ModeOutlook>>;
  /** Where both modes cost the same; null where they never do, or there is nothing to compare. */
  readonly breakEven: BreakEven | null;
  /** Those first that decide. */
  readonly reasons: readonly Reason[];
  /** What would have to be so for the answer to be the other. */
  readonly flips: readonly Flip[];
  readonly curve: CostCurve | null;
  /** What the figures rest on that was not measured, as sentences. */
  readonly notes: readonly string[];
}

export interface Evidence {
  /** `usage`: its own, measured. `trace`: files. `described`: answers of whoever asks. */
  readonly source: 'usage' | 'trace' | 'described';
  /** In ms since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly arrivals: number;
  /** What was resampled: so many blocks of so long. */
  readonly blocks: number;
  readonly blockMs: number;
  readonly samples: number;
  readonly seed: number;
  /** In which usage may be missing. */
  readonly gapsMs: number;
  readonly currency: string;
  /** Ids of the books that were looked at. */
  readonly books: readonly string[];
}

/** `switch`: to a mode that is not the present one, or to which it should be built. `keep`: what it has is best, or as good. */
export type AdviceVerdict =
  | {
      readonly kind: 'switch' | 'keep';
      readonly mode: Mode;
      /** How probable it is that this mode is the best: that it meets what is asked, and the other does not or costs more (of a tie: not 5 % less). 0 to 1. */
      readonly certainty: number;
      /** Against the other mode, a month; negative: it costs that much more. Null where the other cannot be had. */
      readonly saves: Band | null;
      /** Why it is not the cheapest, where it is not. */
      readonly because: 'cheapest' | 'tie' | 'objective' | 'only-possible';
    }
  | { readonly kind: 'not-enough-evidence'; readonly missing: readonly string[] }
  /** No mode is possible, or none meets the objective. */
  | { readonly kind: 'neither'; readonly because: 'objective' | 'impossible' };

/** The middle, and what lies between the 5th and the 95th percentile of the samples. */
export interface Band {
  readonly low: number;
  readonly mid: number;
  readonly high: number;
}

/** One mode's cost and latency, by replay. */
export interface ModeOutlook {
  readonly mode: Mode;
  /** Of the cheapest of the chosen books, operations included; null where none sells it. */
  readonly perMonth: Band | null;
  /** That book's id. */
  readonly book: string | null;
  readonly lines: readonly OfferLine[];
  /** Of `perMonth`: hours of operations. */
  readonly operations: number;
  /** Waiting and duration together; null where nothing was executed. */
  readonly p50Ms: Band | null;
  readonly p99Ms: Band | null;
  readonly coldStarts: number;
  readonly executed: number;
  readonly refused: number;
  /** Instances that lived on average, and at most. */
  readonly instances: { readonly mean: number; readonly peak: number };
  /** Share of the samples that meet the objective; 1 where there is none. */
  readonly meetsObjective: number;
}

export interface Obstacle {
  readonly mode: Mode;
  readonly severity: 'impossible' | 'warning';
  readonly criterion: Criterion;
  /** One sentence. */
  readonly text: string;
  /** Where in the code, or what was measured. */
  readonly evidence: readonly string[];
}

export type Criterion =
  | 'duration'
  | 'state'
  | 'sockets'
  | 'background'
  | 'duty-cycle'
  | 'trigger'
  | 'schedule'
  | 'resources'
  | 'burstiness'
  | 'latency'
  | 'deploy-rate'
  | 'cost'
  | 'operations'
  | 'granularity'
  | 'portability'
  | 'legacy';

export interface Reason {
  readonly criterion: Criterion;
  /** As it is said: `busy 3 % of the time`. */
  readonly measured: string;
  /** Of the same; null where it is no amount. */
  readonly value: number | null;
  readonly threshold: string;
  readonly favours: Mode | null;
  /** What it makes: money a month or latency in ms, for the mode that it favours; null where it cannot be said in figures. */
  readonly difference: { readonly amount: number; readonly unit: string } | null;
  /** Whether the verdict would be another without it. */
  readonly decisive: boolean;
  /** Whole, for whoever decides. */
  readonly sentence: string;
}

export interface BreakEven {
  /** Traffic times this: both cost the same. */
  readonly times: number;
  readonly band: Band | null;
  /** Invocations per second at which that is, on average. */
  readonly perSecond: number;
}

export interface Flip {
  readonly criterion: Criterion;
  /** The mode that it would be then. */
  readonly to: Mode;
  /** `traffic grows 4.2 times`. */
  readonly sentence: string;
}

/** Monthly cost of both modes over the rate, by scaling the traffic. */
export interface CostCurve {
  readonly currency: string;
  /** By rate, ascending. */
  readonly points: readonly {
    readonly perSecond: number;
    readonly perMonth: Readonly<Record<Mode, number | null>>;
  }[];
  /** Where the traffic is now. */
  readonly here: number;
  /** Where the two meet; null where they do not within the points. */
  readonly breakEven: number | null;
}

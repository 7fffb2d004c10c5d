import type { Mode } from './app.ts';
import type { OfferLine } from './comparison.ts';
import type { UsageGap } from './usage-store.ts';

/** How it would have been: each unit in the mode that it ran in, or all in one. */
export type BillScenario = 'as-it-ran' | Mode;

/**
 * What a use is known by. `counted`: it was that. `replayed`: what came, replayed in the other mode. `estimated`: the counts of the other mode as
 * they are, where there is nothing to replay by. `idle`: nothing came.
 */
export type UsedBasis = 'counted' | 'replayed' | 'estimated' | 'idle';

/** What an app used in a stretch of time, and what that cost or would have cost. `fulcrum bill --json`. */
export interface BillReport {
  readonly app: string;
  readonly environment: string;
  /** In ms since the epoch; as far as something was counted. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly gaps: readonly UsageGap[];
  readonly units: readonly UnitUsed[];
  readonly books: readonly {
    readonly id: string;
    readonly title: string;
    readonly currency: string;
    readonly asOf: string;
    readonly source: string;
  }[];
  /** Each scenario under each book that sells it all. */
  readonly offers: readonly BillOffer[];
  /** The cheapest of each scenario, in the currency of the first book. */
  readonly cheapest: Readonly<Record<BillScenario, ScenarioCost | null>>;
  readonly by: 'component' | 'day' | 'app';
  /** By component or day, as `by` says; none by app. */
  readonly rows: readonly BillRow[];
  /** What the figures rest on, as sentences. */
  readonly notes: readonly string[];
}

/** A component or a group. */
export interface UnitUsed {
  readonly unit: string;
  readonly members: readonly string[];
  /** In which it ran, the present one last. */
  readonly modes: readonly Mode[];
  readonly executed: number;
  /** Of `executed`: calls by other components. */
  readonly internal: number;
  readonly refused: number;
  readonly cold: number;
  /** Starts and durations, each rounded up to whole ms. */
  readonly billedMs: number;
  readonly cpuMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly instances: {
    readonly started: number;
    readonly livedMs: number;
    /** GB as 2^30 bytes. */
    readonly heldGbSeconds: number;
    /** Null where nobody measured. */
    readonly usedGbSeconds: number | null;
    readonly cpuMs: number;
  };
}

export interface BillOffer {
  readonly scenario: BillScenario;
  /** Of what is priced; in `as-it-ran` those of each mode apart. Null: both at once, on a machine of one's own. */
  readonly mode: Mode | null;
  readonly book: string;
  readonly currency: string;
  /** Rounded to cents; null where the book does not sell it. */
  readonly total: number | null;
  /** The same, not rounded. */
  readonly exact: number | null;
  /** What a month of 730 hours costs that is like this stretch, rounded to cents. */
  readonly perMonth: number | null;
  readonly notSold: string | null;
  readonly basis: UsedBasis | 'mixed';
  readonly lines: readonly OfferLine[];
  readonly verified: boolean;
  readonly assumptions: readonly string[];
}

export interface ScenarioCost {
  /** Rounded to cents, not rounded, and of a month like it, as {@link BillOffer} has them. */
  readonly total: number;
  readonly exact: number;
  readonly perMonth: number;
  readonly currency: string;
  /** By mode: the book that is cheapest for what is in it. */
  readonly books: Readonly<Partial<Record<Mode, string>>>;
  readonly verified: boolean;
  readonly basis: UsedBasis | 'mixed';
}

/** Its part of what the cheapest of each scenario costs. */
export interface BillRow {
  /** A component's or group's name, or a day: `2026-11-21`. */
  readonly name: string;
  readonly ran: readonly Mode[];
  readonly executed: number;
  readonly billedMs: number;
  /** Not rounded. */
  readonly cost: Readonly<Record<BillScenario, number | null>>;
  readonly basis: Readonly<Record<BillScenario, UsedBasis | 'mixed'>>;
}

import type { Mode } from './app.ts';

/** One decision about the mode of a component or group, as it is kept and told. */
export interface ModeStep {
  /** Never given twice within an app; later ones sort behind. */
  readonly id: string;
  readonly atMs: number;
  readonly unit: string;
  readonly kind: ModeStepKind;
  /** `auto`, or who asked for it, as the audit says it. */
  readonly by: string;
  readonly from: Mode;
  readonly to: Mode;
  /** For a person, one or two sentences. */
  readonly reason: string;
  /** What it was decided by: costs a month, p99s, bands, excess so far. */
  readonly figures: Readonly<Record<string, number>>;
}

/**
 * `switched`; `undone`: back, because it turned out worse; `would-switch`: it only tells; `failed`: the switch could not be made;
 * `blocked`: it should, and may not; `kept`: what was near a switch and is no longer.
 */
export type ModeStepKind = 'switched' | 'undone' | 'would-switch' | 'failed' | 'blocked' | 'kept';

/** What `auto` remembers of a unit from one round to the next. */
export interface AutoState {
  readonly unit: string;
  /** Whole, as the advisor writes and reads it; another version of it is begun anew. */
  readonly state: string;
  readonly savedAtMs: number;
}

/** One server of those that share a store decides for an app, as long as it says so again in time. */
export interface AutoLease {
  readonly app: string;
  readonly node: string;
  /** In ms since the epoch. */
  readonly nowMs: number;
  readonly untilMs: number;
}

export interface ModeHistoryStore {
  /** Adds `steps`, and replaces the states of the units in `states`; all of it or nothing. Rejects with `store-failed`. */
  append(app: string, steps: readonly ModeStep[], states: readonly AutoState[]): Promise<void>;
  /** The newest first. @param unit null: of all. @param before an id; null: from the newest on. */
  steps(app: string, unit: string | null, before: string | null, limit: number): Promise<readonly ModeStep[]>;
  states(app: string): Promise<readonly AutoState[]>;
  /** Whether this node decides for the app until then: it has done so far, or nobody does. Rejects with `store-failed`. */
  lease(lease: AutoLease): Promise<boolean>;
  /** Keeps the newest `steps` of each unit and nothing older than `beforeMs`, states included: those of who decides are younger. */
  prune(app: string, beforeMs: number, steps: number): Promise<void>;
}

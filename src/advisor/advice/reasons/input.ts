import type { AdviceVerdict, BreakEven, ModeOutlook, Obstacle } from '../../../model/advice.ts';
import type { Mode } from '../../../model/app.ts';
import type { AdviceRequest, PerMode } from '../request.ts';

/** What reasons and flips are made of: a verdict, and the way to ask for it once more with something changed. */
export interface ReasonInput {
  readonly request: AdviceRequest;
  readonly outlooks: PerMode<ModeOutlook>;
  readonly obstacles: readonly Obstacle[];
  readonly verdict: AdviceVerdict;
  readonly breakEven: BreakEven | null;
  readonly again: Again;
}

/**
 * The answer to the request as `change` makes it: by one replay and the same rules as the verdict's, without samples and without reasons. What is
 * changed is told by identity: where `traffic`, `facts.function`, `facts.service` and `facts.startsMs` stay those of the request, nothing has to be
 * replayed anew.
 */
export type Again = (change: Change) => AgainAnswer;
export type Change = (request: AdviceRequest) => AdviceRequest;

export interface AgainAnswer {
  /** Null: neither, or too little to say. */
  readonly mode: Mode | null;
  /** Middle values; null where it is not sold. */
  readonly perMonth: PerMode<number | null>;
  /** Null where nothing was executed. */
  readonly p99Ms: PerMode<number | null>;
}

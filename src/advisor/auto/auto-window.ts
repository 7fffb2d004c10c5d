import type { Band } from '../../model/advice.ts';
import type { Mode } from '../../model/app.ts';

/** What is known of a unit at the end of one window: how it did in the mode that it has, and how it would have in either. Plain data. */
export interface AutoWindow {
  /** In ms since the epoch: what is new since the window before. */
  readonly fromMs: number;
  readonly toMs: number;
  /** What it runs as. */
  readonly mode: Mode;
  /** Invocations of what is new. */
  readonly executed: number;
  /** As it was counted, in the mode that it has; null where there is too little to say. */
  readonly measured: { readonly perMonth: number | null; readonly p99Ms: number | null };
  /** By replay of what came. */
  readonly modes: Readonly<Record<Mode, AutoOutlook>>;
  /** What the other mode would save a month, by the same samples; null where either cannot be had. */
  readonly saving: Band | null;
  /** Waiting and duration together of 99 %; null: nothing is asked. */
  readonly objectiveP99Ms: number | null;
  readonly currency: string;
}

export interface AutoOutlook {
  /** Null where nobody sells it. */
  readonly perMonth: Band | null;
  /** Null where nothing was executed. */
  readonly p99Ms: Band | null;
  /** Share of the samples that meet the objective; 1 where there is none. */
  readonly meetsObjective: number;
  /** Why it may not run so, as a sentence; null: it may. */
  readonly obstacle: string | null;
}

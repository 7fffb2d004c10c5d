import type { Mode } from './app.ts';

/** What traffic would cost and how long it would take in each mode, under each of some price books. */
export interface Comparison {
  readonly trace: TraceSummary;
  readonly seed: number;
  /** What was replayed, in the order asked for. */
  readonly modes: readonly ModeResult[];
  /** Each book with each mode. */
  readonly offers: readonly Offer[];
  readonly verdict: Verdict | null;
  /** Where there are several and both modes: all, those first whose mode matters most. */
  readonly functions: readonly FunctionResult[];
  /** What the figures rest on that the trace does not tell, as sentences. */
  readonly notes: readonly string[];
}

interface TraceSummary {
  readonly format: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly functions: number;
  readonly arrivals: number;
  readonly badRows: number;
  /** The first of them; `line` from 1. */
  readonly bad: readonly {
    readonly file: string;
    readonly line: number;
    readonly found: string;
    readonly expected: string;
  }[];
}

/** All functions together. */
export interface ModeResult {
  readonly mode: Mode;
  readonly executed: number;
  readonly refused: number;
  readonly coldStarts: number;
  /** Waiting and duration together, in ms; null where nothing was executed. */
  readonly latency: { readonly p50Ms: number; readonly p95Ms: number; readonly p99Ms: number } | null;
  /** That lived: on average, and in the minute that had the most on average. */
  readonly instances: { readonly mean: number; readonly peak: number };
  /** At 0, 1, … 100 %: of the latency, and of what those waited that waited for a start. In ms; empty where there were none. */
  readonly quantilesMs: { readonly latency: readonly number[]; readonly coldStart: readonly number[] };
  /** Instances that lived, over the time: averages of at most 200 equal stretches, each so many ms long. */
  readonly livingOverTime: {
    readonly fromMs: number;
    readonly everyMs: number;
    readonly living: readonly number[];
  };
  /** What bills are made of, as it was replayed. */
  readonly used: {
    readonly wholeMs: number;
    readonly startMs: number;
    readonly cpuMs: number;
    readonly gbSeconds: number;
  };
}

/** What one book would ask for one mode, a month of 730 hours. */
export interface Offer {
  readonly book: string;
  readonly title: string;
  readonly mode: Mode;
  readonly currency: string;
  /** Rounded to cents; null where the book does not sell it. */
  readonly perMonth: number | null;
  /** Why it does not. */
  readonly notSold: string | null;
  /** By their ids, of all functions. */
  readonly lines: readonly OfferLine[];
  readonly verified: boolean;
  readonly asOf: string;
  readonly source: string;
  readonly assumptions: readonly string[];
}

/** As a {@link BillLine}, of a month. */
export interface OfferLine {
  readonly id: string;
  readonly title: string;
  readonly quantity: number;
  readonly unit: string;
  readonly free: number;
  readonly parts: readonly { readonly quantity: number; readonly price: number; readonly amount: number }[];
  readonly amount: number;
  readonly verified: boolean;
}

/** The cheapest offer of each mode against that of the other. */
export interface Verdict {
  readonly mode: Mode;
  readonly book: string;
  readonly perMonth: number;
  readonly currency: string;
  readonly other: { readonly book: string; readonly perMonth: number };
  /** Each function in the mode that is cheaper for it, where that is cheaper than all in one; else null. */
  readonly mixed: { readonly perMonth: number; readonly functions: number; readonly services: number } | null;
}

/** Its part of the verdict's two bills. */
export interface FunctionResult {
  readonly name: string;
  readonly arrivals: number;
  readonly perMonth: Readonly<Record<Mode, number>>;
  readonly p99Ms: Readonly<Record<Mode, number | null>>;
  readonly cheaper: Mode;
}

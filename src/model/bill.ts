import type { Mode } from './app.ts';

/** What a component's use costs in one mode under one book. */
export interface Bill {
  readonly component: string;
  readonly book: string;
  readonly mode: Mode;
  readonly currency: string;
  /** Sum of `lines`, rounded to cents at the end alone. */
  readonly total: number;
  readonly lines: readonly BillLine[];
  /** What it rests on, where that is not what was counted: `sized to 3 replicas at the peak`, `starts as replayed`. */
  readonly assumptions: readonly string[];
}

/** Each can be asked for what it is made of. */
export interface BillLine {
  /** `requests`, `gb-seconds`, `gateway`, … */
  readonly id: string;
  readonly title: string;
  readonly quantity: number;
  readonly unit: string;
  /** What of `quantity` was free. */
  readonly free: number;
  /** Tiers that the rest fell into. */
  readonly parts: readonly { readonly quantity: number; readonly price: number; readonly amount: number }[];
  readonly amount: number;
  readonly verified: boolean;
}

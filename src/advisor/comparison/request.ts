import type { Mode } from '../../model/app.ts';
import type { PriceBook } from '../../model/price-book.ts';
import type { AssumedDurations } from '../traffic/traced.ts';
import type { Format } from '../traffic/formats.ts';
import type { Generated } from '../traffic/generate.ts';

/** What is to be compared. Plain data, as it goes to a thread. */
export interface ComparisonRequest {
  /** Files and folders; none where traffic is made up. */
  readonly paths: readonly string[];
  readonly generated: Generated | null;
  /** Null: what the files are like. */
  readonly format: Format | null;
  readonly strict: boolean;
  readonly seed: number;
  /** Of access logs: so many segments of the path make a component; 0: all is one. */
  readonly pathSegments: number;
  /** Of each duration, where the trace does not tell: 0 to 1. */
  readonly cpuShare: number;
  readonly durations: AssumedDurations;
  /** At least one. */
  readonly modes: readonly Mode[];
  readonly books: readonly PriceBook[];
  /** Null: what the trace tells. */
  readonly memoryBytes: number | null;
  /** Null: what the trace tells, else the fork engine's. */
  readonly coldStart: { readonly p50Ms: number; readonly p99Ms: number } | null;
  /** Null: what the trace tells, else 1 s. */
  readonly keepAliveMs: number | null;
  /** Requests that an instance works on at a time, and a replica. Null: what the trace tells, else 1 and 100. */
  readonly concurrency: Readonly<Record<Mode, number | null>>;
  /** Of functions: CPU time stretched as the provider's vCPUs for the memory ask for. */
  readonly providerCpu: boolean;
  readonly freeTier: boolean;
  /** Ids of bill lines that are left out. */
  readonly without: readonly string[];
}

/** How far a comparison has come; `done` of `total`, in units of its own. */
export interface ComparisonProgress {
  readonly step: 'reading' | 'replaying' | 'pricing';
  readonly done: number;
  readonly total: number;
}

import type { UnitFacts, AdvisorSettings } from './advice-facts.ts';
import type { Mode } from './app.ts';
import type { Outcome } from './invocation.ts';
import type { JoinedCalls, UsageGap } from './usage-store.ts';

/**
 * An app's usage as lines of JSON: what the server sends, `fulcrum usage` writes to a file, and bills, replays and advice are made of. The
 * first line is `usage`, the last `end`: without that it was cut short.
 */
export type UsageLine =
  | UsageHead
  | MinuteLine
  | InstancesLine
  | ({ readonly kind: 'joined-calls' } & Omit<JoinedCalls, 'part'>)
  | ArrivalsLine
  | ({ readonly kind: 'gap' } & UsageGap)
  | { readonly kind: 'end'; readonly lines: number };

/** What is asked for. */
export interface UsageSpan {
  /** In ms since the epoch: minutes that begin from this moment on… */
  readonly fromMs: number;
  /** …and before this one. */
  readonly toMs: number;
  /** Null: all. */
  readonly component: string | null;
  /** Whether the head has them. */
  readonly facts: boolean;
}

export interface UsageHead {
  readonly kind: 'usage';
  readonly format: 1;
  readonly app: string;
  readonly environment: string;
  /** In ms since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Of all units of what serves; none where nobody asked for them. */
  readonly facts: readonly UnitFacts[];
  readonly settings: AdvisorSettings | null;
}

/** One component's minute, as it is stored; sketches in base64. */
export interface MinuteLine {
  readonly kind: 'minute';
  readonly component: string;
  readonly revision: string;
  readonly mode: Mode;
  readonly outcome: Outcome;
  readonly minuteMs: number;
  readonly spanMs: number;
  readonly count: number;
  readonly cold: number;
  readonly internal: number;
  readonly waitedMs: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly billedMs: number;
  readonly wholeMs: number;
  readonly wholeByteMs: number;
  readonly hundredsMs: number | null;
  readonly cpuMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly latency: string;
  readonly duration: string;
}

export interface InstancesLine {
  readonly kind: 'instances';
  readonly unit: string;
  readonly revision: string;
  readonly mode: Mode;
  readonly minuteMs: number;
  readonly spanMs: number;
  readonly started: number;
  readonly livedMs: number;
  readonly heldByteMs: number;
  readonly watchedMs: number;
  readonly usedByteMs: number;
  readonly cpuMs: number;
}

/** A block of arrivals, as it is stored, in base64. */
export interface ArrivalsLine {
  readonly kind: 'arrivals';
  readonly component: string;
  readonly mode: Mode;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly bytes: string;
}

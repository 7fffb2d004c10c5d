import type { Mode } from './app.ts';
import type { Outcome, Trigger } from './invocation.ts';

/** One finished invocation, as the meter and later the advisor see it. */
export interface UsageRecord {
  readonly component: string;
  readonly revision: string;
  readonly mode: Mode;
  readonly trigger: Trigger;
  readonly outcome: Outcome;
  readonly requestId: string;
  /** HTTP status told to the client; 0 where there was none. */
  readonly status: number;
  /** Clock.nowMs() of its arrival. */
  readonly arrivedAtMs: number;
  /** Arrival to slot. */
  readonly waitedMs: number;
  /** Instance start within the wait; 0 where not cold. */
  readonly startMs: number;
  /** Slot to end: the handler's wall time. */
  readonly durationMs: number;
  /** What a function is billed: start and duration, rounded up to whole ms. 0 in service mode. */
  readonly billedMs: number;
  readonly cpuMs: number;
  readonly cold: boolean;
  /** Instance memory setting, for GB-seconds. */
  readonly memoryBytes: number;
}

/** Takes records off the request's path: `record` only appends to memory. */
export interface UsageSink {
  record(record: UsageRecord): void;
}

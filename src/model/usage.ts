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
  /** Instance start within the wait; 0 where not cold. Of several that waited for one start the first bears it: a start is billed once. */
  readonly startMs: number;
  /** Slot to end: the handler's wall time. */
  readonly durationMs: number;
  /** What a function is billed: start and duration, rounded up to whole ms. 0 in service mode. */
  readonly billedMs: number;
  readonly cpuMs: number;
  readonly cold: boolean;
  /** Instance memory setting, for GB-seconds. */
  readonly memoryBytes: number;
  /**
   * Of the bodies that passed the gateway until the invocation was over, a problem document's included; of a connection that was upgraded,
   * all behind the request's head. 0 of what did not come through it.
   */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Takes records off the request's path: `record` only appends to memory. */
export interface UsageSink {
  record(record: UsageRecord): void;
}

/** A stretch of one instance's life, as the meter sees it: the whole of it in pieces that do not overlap. */
export interface InstanceStretch {
  /** The component or group that it is of. */
  readonly unit: string;
  readonly revision: string;
  readonly mode: Mode;
  /** Clock.nowMs() of its beginning. */
  readonly fromMs: number;
  readonly lastsMs: number;
  /** Whether its life begins with it. */
  readonly begins: boolean;
  /** Memory setting: what was held all the time. */
  readonly memoryBytes: number;
  /** Private memory that it was seen to have on average; null where nobody looked. */
  readonly usedBytes: number | null;
  /** CPU time in it, as far as it is known. */
  readonly cpuMs: number;
}

/** Takes what instances lived off the path of their work: never throws and never waits. */
export interface InstanceSink {
  record(stretch: InstanceStretch): void;
}

export const NO_INSTANCE_SINK: InstanceSink = { record: () => undefined };

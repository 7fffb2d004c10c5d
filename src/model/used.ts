import type { Mode } from './app.ts';

/**
 * What one component took in a stretch of time while it ran in one mode, however that was found: counted, or replayed by the simulator. All
 * that a price can be put on.
 */
export interface Used {
  readonly component: string;
  readonly mode: Mode;
  /** In ms since the epoch: from this moment… */
  readonly fromMs: number;
  /** …and before this one. */
  readonly toMs: number;
  /** Invocations that an instance has worked on. */
  readonly executed: number;
  /** Of `executed`: calls by other components. */
  readonly internal: number;
  /** Invocations that no instance has worked on: refused, or given up while they waited. */
  readonly refused: number;
  /** Of `executed`: those that waited for an instance to start. */
  readonly cold: number;
  /** Start and duration of each of `executed`, rounded up to whole ms, summed. Exact. */
  readonly wholeMs: number;
  /** The same, each rounded up to whole 100 ms. Exact where it was counted; null where only {@link durations} can tell. */
  readonly hundredsMs: number | null;
  /** Of `wholeMs`: instances' starts. */
  readonly startMs: number;
  /** Sum of `wholeMs` of each times the memory of its instance, in bytes × ms. */
  readonly byteMs: number;
  readonly cpuMs: number;
  /** Bodies of requests and answers, as far as they passed the gateway. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Durations of `executed`, starts included, in ms: the lower bound of each bucket and how many fell into it. */
  readonly durations: readonly (readonly [ms: number, count: number])[];
  readonly instances: InstancesUsed;
  /** By minute, those without anything left out. What a service that carries this has to be sized for. */
  readonly load: readonly MinuteLoad[];
}

export interface InstancesUsed {
  /** Instances that were begun. */
  readonly started: number;
  /** From each one's start to its end, summed. */
  readonly livedMs: number;
  /** The same times the memory setting, in bytes × ms: what was held. */
  readonly heldByteMs: number;
  /** Private memory that they were seen to have, over time: what was used. Null where nobody measured. */
  readonly usedByteMs: number | null;
  readonly cpuMs: number;
}

export interface MinuteLoad {
  /** Start of the minute, in ms since the epoch. */
  readonly minuteMs: number;
  readonly executed: number;
  /** How long that kept instances busy. */
  readonly workMs: number;
  readonly cpuMs: number;
  /** The most that were at work at the same time; null where nobody counted. */
  readonly busiest: number | null;
}

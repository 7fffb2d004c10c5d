import type { FunctionSettings, ServiceSettings } from './app.ts';
import type { Used } from './used.ts';

/** Arrivals of one component, in order; the arrays are of one length. */
export interface Traffic {
  readonly component: string;
  /** In ms since the epoch. */
  readonly arrivedAtMs: Float64Array;
  /** How long the handler takes where nothing holds it up. */
  readonly durationMs: Float32Array;
  /** Of that, CPU time. */
  readonly cpuMs: Float32Array;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A distribution of times, as a table of quantiles: at equal steps from 0 to 1. */
export interface Times {
  readonly quantilesMs: readonly number[];
}

export interface FunctionModel {
  readonly mode: 'function';
  readonly settings: FunctionSettings;
  /** From the need of an instance to its handler's first line, as measured on this machine. */
  readonly coldStart: Times;
  /** Instances that are kept ready whatever comes. */
  readonly provisioned: number;
  /** How many may be starting at the same time. Absent: as many as are wanted. */
  readonly startsAtOnce?: number;
}

export interface ServiceModel {
  readonly mode: 'service';
  readonly settings: ServiceSettings;
  /** From the decision to start a replica until it takes work. */
  readonly start: Times;
  /** Processors that one replica can use. */
  readonly cpus: number;
  /** Processors that the machine has for all replicas, beyond which the autoscaler wants no more of them. Absent: no bound. */
  readonly machineCpus?: number;
}

/** What a replay gives. The same traffic, model and seed give the same, to the last bit. */
export interface Simulated {
  readonly used: Used;
  /** Waiting and duration together, of what was executed: at 0, 1, … 100 %. */
  readonly latencyQuantilesMs: readonly number[];
  /** The same as counts: from each of these ms on (to the next in fine steps, below 1 %) so many. To be put together with others'. */
  readonly latencies: readonly (readonly [ms: number, count: number])[];
  /** As counts, too: what those waited that waited for a start. */
  readonly coldWaits: readonly (readonly [ms: number, count: number])[];
  readonly coldStarts: number;
  /** Of what was executed: what found no instance free. */
  readonly waited: number;
  /** How long that waited, summed. */
  readonly waitedMs: number;
  readonly refused: number;
  /** By minute: instances that lived and were at work, averaged over it. */
  readonly minutes: readonly { readonly minuteMs: number; readonly living: number; readonly busy: number }[];
}

/** Arrivals of one component by the minute, for traces that are too long to go through one by one. */
export interface MinuteTraffic {
  readonly component: string;
  /** A whole minute of the clock. */
  readonly fromMs: number;
  /** How many came in each minute from then on. */
  readonly invocations: ArrayLike<number>;
  /** How long their handlers take where nothing holds them up. */
  readonly duration: Times;
  /** Of that, the share that is CPU time: 0 to 1. */
  readonly cpuShare: number;
}

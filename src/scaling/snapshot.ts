import type { FunctionSettings, ServiceSettings } from '../model/app.ts';
import type { WaitingWork } from '../model/work-window.ts';
import type { KeepAliveVerdict } from './idle-histogram.ts';
import type { FailedFor } from './restart-backoff.ts';

/** What is decided upon: one component's instances in one mode. Times are monotonic. */
export type Snapshot = FunctionSnapshot | ServiceSnapshot;

interface Common {
  /** Invocations that wait. */
  readonly queued: number;
  /** Everything whose process is not known to be gone, the oldest first. */
  readonly instances: readonly InstanceView[];
  readonly retry: RetryView;
}

export interface FunctionSnapshot extends Common {
  readonly mode: 'function';
  readonly settings: FunctionSettings;
  /** Instances that should be there whatever waits: a mode switch warms them up. */
  readonly warm: number;
  /** How many may be starting at the same time: more than the machine can bring up only makes all of them late. */
  readonly startsAtOnce: number;
  /** Kept work that has been asked for just now; null or absent: there is none. For the reasons. */
  readonly kept?: WaitingWork | null;
  /** When it is used; null where its keep-alive is fixed, or its habits tell nothing. */
  readonly habit: HabitView | null;
}

export interface HabitView extends KeepAliveVerdict {
  /** Since when nothing of the component is in flight, in any release; null: something is, or nothing ever was. */
  readonly idleSinceMs: number | null;
  /** An instance has been pre-warmed in this time of idleness already. */
  readonly prewarmed: boolean;
}

export interface ServiceSnapshot extends Common {
  readonly mode: 'service';
  readonly settings: ServiceSettings;
  readonly instances: readonly ReplicaView[];
  /** Replicas that were lost and not yet replaced, for the reasons. */
  readonly lost: readonly Lost[];
  /** Null where their number is fixed. */
  readonly scale: ScaleView | null;
}

/** How an autoscaled service's load stands, and what its last decision wanted remembered. */
export interface ScaleView {
  readonly memory: ScaleMemory;
  /** Null until the next round is due. */
  readonly observed: Observed | null;
  /** How many processors the machine has for all instances: more replicas cannot keep more busy. */
  readonly cpus: number;
}

/** Averages over the stable and over the panic window; see `load-window.ts`. */
export interface Observed {
  /** Invocations in flight or waiting. */
  readonly load: WindowAverages;
  /** Cores that the replicas keep busy. */
  readonly cores: WindowAverages;
}

export interface WindowAverages {
  readonly stable: number;
  readonly panic: number;
}

export interface ScaleMemory {
  /** How many replicas there should be. */
  readonly wanted: number;
  /** Why so many; null where no round has said. */
  readonly why: string | null;
  /** Until when nothing shrinks; null where it is calm. */
  readonly panicUntilMs: number | null;
  readonly nextRoundMs: number;
}

export interface InstanceView {
  readonly id: string;
  readonly state: 'starting' | 'ready' | 'draining' | 'ending' | 'ended';
  readonly inFlight: number;
  readonly served: number;
  /** Since when it has had nothing to do; means something only where `inFlight` is 0. */
  readonly idleSinceMs: number;
  /** Why it should be replaced: it missed its health checks. */
  readonly failing: string | null;
}

/** A service's instance. */
export interface ReplicaView extends InstanceView {
  /** Its place among the replicas, from 0: see `ordinals.ts`. */
  readonly ordinal: number;
  /** It is given no work for a time, because it kept failing: see `ejections.ts`. */
  readonly ejected: boolean;
}

interface RetryView {
  /** Failed starts or deaths since the last success. */
  readonly failures: number;
  readonly retryAtMs: number;
  /** What the latest failure was for. */
  readonly latest: FailedFor;
}

export interface Lost {
  readonly id: string;
  readonly ordinal: number;
  readonly reason: string;
}

export interface Plan {
  /** One reason for each instance to be started. */
  readonly starts: readonly string[];
  readonly ends: readonly End[];
  /** How many of the waiting, the newest first, have nothing to wait for. */
  readonly refuse: number;
  /** When to decide again even if nothing happens until then. */
  readonly wakeAtMs: number | null;
  /** Its one start is a pre-warmed instance: to be remembered for `HabitView.prewarmed`. */
  readonly prewarms?: true;
  /** What a service's next decision must know; absent for a function. */
  readonly remember?: Remembered;
}

interface Remembered {
  /** Null where the number of replicas is fixed. */
  readonly scale: ScaleMemory | null;
  readonly lost: readonly Lost[];
}

export interface End {
  readonly id: string;
  readonly reason: string;
  /** What it was forked from is not needed for a while either. */
  readonly withZygote?: true;
}

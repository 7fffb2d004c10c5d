/**
 * Which instances should exist: a pure function of what is there and what time it is. Everything that starts or ends an
 * instance because of load, idleness or health is decided here and nowhere else, with a reason a person can read.
 *
 * A worked example, a function with concurrency 2, at most 10 instances and a keep-alive of 1 s, at t = 5,000 ms:
 *
 *   queued 5
 *   i_a  starting                         will take 2 of the 5
 *   i_b  ready, 2 in flight               full
 *   i_c  ready, idle since 3,900          its keep-alive passed at 4,900
 *
 * i_a covers two waiters, three are uncovered, so ceil(3 / 2) = 2 starts with the reason `queue 5`; seven more would be
 * allowed. i_c ends with the reason `keep-alive passed`. (In practice a waiter would have been given i_c before.)
 * Nothing else falls due, so `wakeAtMs` is null. The same at t = 4,500 would leave i_c alone and say `wakeAtMs: 4,900`.
 */
import type { FunctionSettings, ServiceSettings } from '../model/app.ts';
import { decideFunction } from './decide-function.ts';
import { decideService } from './decide-service.ts';

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
}

export interface ServiceSnapshot extends Common {
  readonly mode: 'service';
  readonly settings: ServiceSettings;
  /** Replicas that were lost and not yet replaced, for the reasons. */
  readonly lost: readonly Lost[];
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

interface RetryView {
  /** Failed starts or deaths since the last success. */
  readonly failures: number;
  readonly retryAtMs: number;
}

export interface Lost {
  readonly id: string;
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
}

export interface End {
  readonly id: string;
  readonly reason: string;
}

export function decide(snapshot: Snapshot, nowMs: number): Plan {
  return snapshot.mode === 'function' ? decideFunction(snapshot, nowMs) : decideService(snapshot, nowMs);
}

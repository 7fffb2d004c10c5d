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
 * For a service's see `decide-service.ts`.
 */
import { decideFunction } from './decide-function.ts';
import { decideService } from './decide-service.ts';
import type { Plan, Snapshot } from './snapshot.ts';

export function decide(snapshot: Snapshot, nowMs: number): Plan {
  return snapshot.mode === 'function' ? decideFunction(snapshot, nowMs) : decideService(snapshot, nowMs);
}

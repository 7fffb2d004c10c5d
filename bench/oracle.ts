import type { Arrival } from './arrivals.ts';

/**
 * The least time (ms, summed over instances, their starts included) that instances of concurrency 1 can exist for where everybody's arrival and
 * service time is known beforehand and nobody waits: the instance of each invocation was begun `startMs` before it, or is one that is there.
 *
 * Whenever an invocation ends its instance may be kept, which costs the time until its next one, or be ended, which costs a start when one is
 * missing. Idle instances are alike, so that a schedule is how many are kept between two events; the least of all of them is found by
 * going through the events with the least cost for each number kept. That is exact: the test holds it against every possible schedule.
 *
 * An oracle that may let an invocation wait could do with a little less still; ours would make nobody wait.
 */
export function leastInstanceMs(arrivals: readonly Arrival[], startMs: number): number {
  const events = arrivals
    .flatMap(({ atMs, takesMs }) => [
      { atMs, kind: 'begin' as const },
      { atMs: atMs + takesMs, kind: 'end' as const },
    ])
    // One that ends at the moment at which another begins can be used for it.
    .toSorted((a, b) => a.atMs - b.atMs || (a.kind === b.kind ? 0 : a.kind === 'end' ? -1 : 1));
  /** By the number of idle instances that are kept: the least cost so far. */
  let least: number[] = [0];
  let lastMs = events[0]?.atMs ?? 0;
  for (const { atMs, kind } of events) {
    const kept = least.map((cost, idle) => cost + idle * (atMs - lastMs));
    lastMs = atMs;
    if (kind === 'end') {
      // Kept or ended.
      least = Array.from({ length: kept.length + 1 }, (_, idle) =>
        Math.min(kept[idle] ?? Infinity, kept[idle - 1] ?? Infinity),
      );
    } else {
      // A new one, or one of those that are kept.
      least = kept.map((cost, idle) => Math.min(cost + startMs, kept[idle + 1] ?? Infinity));
    }
  }
  const workMs = arrivals.reduce((sum, { takesMs }) => sum + takesMs, 0);
  // What is kept behind the last event costs nothing more, and was not needed: fewer were no dearer.
  return workMs + (arrivals.length === 0 ? 0 : Math.min(...least));
}

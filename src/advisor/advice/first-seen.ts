import type { Traffic } from '../../model/simulation.ts';
import type { Used } from '../../model/used.ts';

/** Silence before all else must be longer than any later one by so much, and be so much of the window, to be no mere pause. */
const LONGER = 2;
const LEAST_SHARE = 0.1;

/**
 * Since when what is known of a unit tells anything: since it was first seen, where it was silent before for much longer than it ever was
 * afterwards; `fromMs` elsewhere. A component that came with a later deploy has no calls before that, and to count them as none would make a
 * month of it cheaper than it is.
 */
export function firstSeenMs({ arrivedAtMs, toMs }: Traffic, days: readonly Used[], fromMs: number): number {
  const seenMs = Math.max(fromMs, Math.min(...days.map((day) => day.fromMs), arrivedAtMs[0] ?? Infinity));
  const silentMs = seenMs - fromMs;
  if (arrivedAtMs.length === 0 || !(silentMs >= LEAST_SHARE * (toMs - fromMs))) return fromMs;
  let [longestMs, beforeMs] = [0, seenMs];
  for (const atMs of arrivedAtMs) {
    if (atMs - beforeMs > longestMs) longestMs = atMs - beforeMs;
    beforeMs = atMs;
  }
  return silentMs > LONGER * Math.max(longestMs, toMs - beforeMs) ? seenMs : fromMs;
}

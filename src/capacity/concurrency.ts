import type { Arrival } from '../model/usage-store.ts';
import { byValue } from './trend.ts';

/** How many of `arrivals` were worked on at the same time, at most, between the two moments. Refused ones never were. */
export function peakConcurrency(arrivals: readonly Arrival[], fromMs: number, toMs: number): number {
  const begins: number[] = [];
  const ends: number[] = [];
  for (const { arrivedAtMs, durationMs, refused } of arrivals) {
    if (refused || arrivedAtMs >= toMs || arrivedAtMs + durationMs < fromMs) continue;
    begins.push(arrivedAtMs);
    ends.push(arrivedAtMs + durationMs);
  }
  begins.sort(byValue);
  ends.sort(byValue);
  let peak = 0;
  let ended = 0;
  for (let begun = 0; begun < begins.length; begun++) {
    // Who ends in the moment that another begins makes room for it.
    while (ends[ended]! <= begins[begun]! && ended < begun) ended++;
    peak = Math.max(peak, begun + 1 - ended);
  }
  return peak;
}

import { FulcrumError } from '../../base/errors.ts';
import type { MinuteTraffic, Traffic } from '../../model/simulation.ts';
import { Random } from '../random.ts';
import { drawn } from './start-times.ts';

const MINUTE_MS = 60_000;
/** What {@link minuteArrivals} makes, 16 bytes each. */
const MOST = 50_000_000;

/**
 * A minute's arrivals one by one: anywhere in it, each place as likely as any other, with durations drawn from the distribution.
 * Throws `bad-request` where they are too many to be held in memory.
 */
export function minuteArrivals(traffic: MinuteTraffic, seed: number): Traffic {
  const { component, fromMs, invocations, duration, cpuShare } = traffic;
  const count = totalOf(traffic);
  if (count > MOST)
    throw new FulcrumError(
      'bad-request',
      `${count} invocations of "${component}" are too many to be replayed one by one; the most is ${MOST}. Simulate a shorter time.`,
    );
  const places = new Random(seed, 'arrival');
  const durations = new Random(seed, 'duration');
  const arrivedAtMs = new Float64Array(count);
  const durationMs = new Float32Array(count);
  let at = 0;
  for (let minute = 0; minute < invocations.length; minute++) {
    const first = at;
    const beginMs = fromMs + minute * MINUTE_MS;
    for (const end = at + invocations[minute]!; at < end; at++) {
      arrivedAtMs[at] = beginMs + places.next() * MINUTE_MS;
      durationMs[at] = drawn(duration, durations);
    }
    arrivedAtMs.subarray(first, at).sort();
  }
  const toMs = fromMs + invocations.length * MINUTE_MS;
  return { component, arrivedAtMs, durationMs, cpuMs: durationMs.map((ms) => ms * cpuShare), fromMs, toMs };
}

export function totalOf({ invocations }: MinuteTraffic): number {
  let total = 0;
  for (let minute = 0; minute < invocations.length; minute++) total += invocations[minute]!;
  return total;
}

import type { ServiceModel, Traffic } from '../../model/simulation.ts';

const SECOND_MS = 1_000;
/** The autoscaler's shortest window, and a second at its border. */
const WINDOW_S = 7;
/** It wants another replica at 70 % of what those that are there can do; half of that leaves room for whatever makes work take longer. */
const AT_MOST = 0.35;
/** So much longer than alone may it take. */
const SLOWER = 2;
/** Longer stretches are replayed in any case. */
const MOST_SECONDS = 2 * 86_400;

/**
 * Whether the autoscaler never wants more than the least replicas for this traffic: by the second, and on the safe side. Then a replay with just
 * those gives the same, and need not ask the autoscaler every second of a day on which hardly anything comes.
 */
export function leastReplicasDo(traffic: Traffic, { settings, cpus }: ServiceModel): boolean {
  const { minReplicas, concurrency } = settings;
  const seconds = Math.ceil((traffic.toMs - traffic.fromMs) / SECOND_MS) + 1;
  if (minReplicas < 1 || seconds > MOST_SECONDS) return false;
  const inFlight = new Float64Array(seconds + 1);
  const cpuMs = new Float64Array(seconds + 1);
  const { arrivedAtMs, durationMs } = traffic;
  for (let i = 0; i < arrivedAtMs.length; i++) {
    const atMs = arrivedAtMs[i]! - traffic.fromMs;
    const first = Math.floor(atMs / SECOND_MS);
    const last = Math.min(seconds - 1, Math.floor((atMs + durationMs[i]! * SLOWER) / SECOND_MS));
    add(inFlight, first, last, 1);
    // Within its time, the sooner the worse.
    const busy = Math.min(last, Math.floor((atMs + durationMs[i]!) / SECOND_MS));
    add(cpuMs, first, busy, traffic.cpuMs[i]! / (busy - first + 1));
  }
  const mostInFlight = AT_MOST * concurrency * minReplicas;
  const mostCpuMs = AT_MOST * Math.min(1, cpus) * minReplicas * (WINDOW_S - 1) * SECOND_MS;
  let [flying, rate, window] = [0, 0, 0];
  const rates = new Float64Array(seconds);
  for (let at = 0; at < seconds; at++) {
    flying += inFlight[at]!;
    rate += cpuMs[at]!;
    rates[at] = rate;
    window += rate - (at >= WINDOW_S ? rates[at - WINDOW_S]! : 0);
    if (flying > mostInFlight || window > mostCpuMs) return false;
  }
  return true;
}

/** To each second from `first` to `last`; the array holds what changes. */
function add(changes: Float64Array, first: number, last: number, amount: number): void {
  changes[first]! += amount;
  changes[last + 1]! -= amount;
}

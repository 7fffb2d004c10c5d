/**
 * Servers in an order, each arrival taking the first that is idle: what a function's instances are, the newest of which is used first. For
 * Poisson arrivals and however durations are distributed, the first k of them are an Erlang loss system by themselves: an arrival gets to the
 * next where all of them are busy (Cooper, "Introduction to queueing theory", 2nd ed. 1981).
 */
export interface Hunting {
  /** By server: the share of time for which it is at work; where it has several places, for which the busiest of them is. */
  readonly atWork: Float64Array;
  /** By server: how often (per ms) it comes to be used while it is idle: 1 over the mean time until all before it are busy and one more comes. */
  readonly perMs: Float64Array;
}

/** Levels with less than so many uses in a thousand years count as never reached. */
const NEVER_PER_MS = 1e-14;

/**
 * @param arrivalsPerMs above 0.
 * @param durationMs mean, above 0.
 * @param each how many a server works on at a time: it is reached where all places of those before it are taken.
 * @returns as many servers as are ever reached, at most `most`.
 */
export function hunting(arrivalsPerMs: number, durationMs: number, each: number, most: number): Hunting {
  const load = arrivalsPerMs * durationMs;
  const atWork: number[] = [];
  const perMs: number[] = [];
  // Erlang's recursion; beside it the mean time from nothing at work to so many places taken, of which each next one takes 1 / (λ B), and
  // the mean of that over the states in which a system of so many places is found.
  let blocked = 1;
  let fromNoneMs = 0;
  let foundAtMs = 0;
  let places = 0;
  while (atWork.length < most) {
    const usedMs = fromNoneMs + 1 / (arrivalsPerMs * blocked) - foundAtMs;
    if (!(1 / usedMs >= NEVER_PER_MS)) break;
    perMs.push(1 / usedMs);
    let busiest = 0;
    for (let place = 0; place < each; place++) {
      fromNoneMs += 1 / (arrivalsPerMs * blocked);
      places++;
      const next = (load * blocked) / (places + load * blocked);
      foundAtMs += next * (fromNoneMs - foundAtMs);
      busiest = Math.max(busiest, load * (blocked - next));
      blocked = next;
    }
    atWork.push(busiest);
  }
  return { atWork: Float64Array.from(atWork), perMs: Float64Array.from(perMs) };
}

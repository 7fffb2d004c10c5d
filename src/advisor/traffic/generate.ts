import type { Traffic } from '../../model/simulation.ts';
import { ArrivalColumns } from './arrival-columns.ts';
import type { Durations } from './durations.ts';
import { Random } from '../random.ts';
import type { TracedFunction } from './traced.ts';

export const SHAPES = ['poisson', 'bursty', 'diurnal', 'periodic'] as const;
export type Shape = (typeof SHAPES)[number];

/** Traffic that is made up: so many arrivals a second on average, for so long. */
export interface Generated {
  readonly shape: Shape;
  /** In arrivals per second, above 0. */
  readonly rate: number;
  readonly lengthMs: number;
}

/** A Monday, so that days of the week are where one expects them; nothing else hangs on it. */
const GENERATED_FROM_MS = Date.UTC(2026, 0, 5);
const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
/** A burst: so many on average, so far apart. */
const BURST = 20;
const WITHIN_BURST_MS = 10;
/** At its busiest hour a day has 1.8 times its mean, at its quietest 0.2 times. */
const SWING = 0.8;
const BUSIEST_MS = DAY_MS * (14 / 24);

/**
 * Arrivals of this shape. `poisson`: independent of each other. `bursty`: Poisson bursts of 20 on average, geometrically distributed, 10 ms apart. `diurnal`:
 * Poisson with a rate that follows the time of day, busiest at 14:00 UTC. `periodic`: one every 1/rate seconds. The same seed gives the same.
 */
export function generated(shaped: Generated, durations: Durations): TracedFunction {
  const { shape, rate, lengthMs } = shaped;
  const span = { fromMs: GENERATED_FROM_MS, toMs: GENERATED_FROM_MS + lengthMs };
  return {
    name: shape,
    arrivals: Math.round((rate * lengthMs) / SECOND_MS),
    memoryBytes: null,
    span,
    traffic: ({ seed, cpuShare }) => generate(shaped, durations, new Random(seed, shape), cpuShare),
  };
}

function generate(shaped: Generated, durations: Durations, random: Random, cpuShare: number): Traffic {
  const columns = new ArrivalColumns();
  const toMs = GENERATED_FROM_MS + shaped.lengthMs;
  for (const atMs of ARRIVALS[shaped.shape](SECOND_MS / shaped.rate, toMs, random)) {
    const durationMs = durations(random);
    columns.add(atMs, durationMs, durationMs * cpuShare);
  }
  return { component: shaped.shape, ...columns.toArrays(), fromMs: GENERATED_FROM_MS, toMs };
}

type Arrivals = (pauseMs: number, toMs: number, random: Random) => Generator<number>;

const ARRIVALS: Readonly<Record<Shape, Arrivals>> = {
  *poisson(pauseMs, toMs, random) {
    let atMs = GENERATED_FROM_MS + random.exponential(pauseMs);
    for (; atMs < toMs; atMs += random.exponential(pauseMs)) yield atMs;
  },
  *bursty(pauseMs, toMs, random) {
    const betweenMs = pauseMs * BURST;
    let beginsMs = GENERATED_FROM_MS + random.exponential(betweenMs);
    for (; beginsMs < toMs; beginsMs += random.exponential(betweenMs)) {
      let atMs = beginsMs;
      do {
        if (atMs >= toMs) break;
        yield atMs;
        atMs += random.exponential(WITHIN_BURST_MS);
      } while (random.next() >= 1 / BURST);
    }
  },
  *diurnal(pauseMs, toMs, random) {
    // Thinning (Lewis and Shedler 1979): of the arrivals at the highest rate, those are kept that the rate of the moment wants.
    const shortestMs = pauseMs / (1 + SWING);
    let atMs = GENERATED_FROM_MS + random.exponential(shortestMs);
    for (; atMs < toMs; atMs += random.exponential(shortestMs)) {
      const angle = (2 * Math.PI * ((atMs % DAY_MS) - BUSIEST_MS)) / DAY_MS;
      if (random.next() * (1 + SWING) < 1 + SWING * Math.cos(angle)) yield atMs;
    }
  },
  *periodic(pauseMs, toMs) {
    for (let atMs = GENERATED_FROM_MS; atMs < toMs; atMs += pauseMs) yield atMs;
  },
};

import type { Times, Traffic } from '../../model/simulation.ts';
import type { AdviceTraffic } from '../advice/request.ts';
import { Random } from '../random.ts';
import { fromLogNormal, logNormalOf, type Durations } from '../traffic/durations.ts';
import { generated, type Shape } from '../traffic/generate.ts';
import type { Answers } from './answers.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Long enough to have seen some calls, and days and nights; no longer than a year. */
const ENOUGH = 7;
const LEAST_MS = 7 * DAY_MS;
const MOST_MS = 364 * DAY_MS;
/** More in a day are known by the minute alone. */
const MOST_ARRIVALS = 150_000;
/** "99 % take up to": what is beyond is not much longer, or it would have been said. */
const BEYOND_P99 = 1.25;
const STEPS = 200;
const SHAPES: Readonly<Record<Answers['shape'], Shape>> = {
  steady: 'poisson',
  daily: 'diurnal',
  bursty: 'bursty',
};

/** Traffic as it was described, made up: of weeks, or of fewer days where there is much of it. The same seed gives the same. */
export function describedTraffic(answers: Answers, seed: number): AdviceTraffic {
  const { name, perSecond, trigger, cpuShare } = answers;
  const shape = trigger === 'schedule' ? 'periodic' : SHAPES[answers.shape];
  const lengthMs = lengthOf(perSecond);
  const made = generated({ shape, rate: perSecond, lengthMs }, drawn(answers));
  if (made.arrivals <= MOST_ARRIVALS) {
    const traffic: Traffic = { ...made.traffic({ span: made.span, seed, cpuShare }), component: name };
    return { kind: 'arrivals', traffic };
  }
  // The shape at a rate that fits, and each minute as many times as much.
  const times = made.arrivals / MOST_ARRIVALS;
  const thin = generated({ shape, rate: perSecond / times, lengthMs }, drawn(answers));
  const invocations = new Float64Array(lengthMs / MINUTE_MS);
  const { fromMs } = thin.span;
  for (const atMs of thin.traffic({ span: thin.span, seed, cpuShare }).arrivedAtMs) {
    const minute = Math.floor((atMs - fromMs) / MINUTE_MS);
    invocations[minute] = invocations[minute]! + 1;
  }
  return {
    kind: 'minutes',
    traffic: {
      component: name,
      fromMs,
      invocations: invocations.map((count) => Math.round(count * times)),
      duration: quantiles(answers, seed),
      cpuShare,
    },
  };
}

/** Whole days: at least one, so that a night is in it. */
function lengthOf(perSecond: number): number {
  const wantedMs = Math.min(MOST_MS, Math.max(LEAST_MS, (ENOUGH / perSecond) * SECOND_MS));
  const possibleMs = (MOST_ARRIVALS / perSecond) * SECOND_MS;
  return Math.max(DAY_MS, Math.floor(Math.min(wantedMs, possibleMs) / DAY_MS) * DAY_MS);
}

function drawn({ duration: { p50Ms, p99Ms } }: Answers): Durations {
  const draw = fromLogNormal(logNormalOf(p50Ms, p99Ms));
  return (random) => Math.min(draw(random), p99Ms * BEYOND_P99);
}

function quantiles(answers: Answers, seed: number): Times {
  const random = new Random(seed, 'described durations');
  const draw = drawn(answers);
  const values = Float64Array.from({ length: STEPS * 50 + 1 }, () => draw(random)).sort();
  return { quantilesMs: Array.from({ length: STEPS + 1 }, (_, i) => values[i * 50]!) };
}

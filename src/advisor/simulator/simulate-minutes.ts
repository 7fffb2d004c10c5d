import { FulcrumError } from '../../base/errors.ts';
import type { FunctionModel, MinuteTraffic, ServiceModel, Simulated } from '../../model/simulation.ts';
import { checkModel } from './checks.ts';
import { DurationTable } from './duration-table.ts';
import { fluidFunction } from './fluid-function.ts';
import { fluidObstacle } from './fluid-obstacle.ts';
import { fluidResult } from './fluid-result.ts';
import { fluidService } from './fluid-service.ts';
import { minuteArrivals, totalOf } from './minute-arrivals.ts';
import { simulate } from './simulate.ts';

const MINUTE_MS = 60_000;
/** So many are replayed one by one in a second or two. */
const REPLAYED = 5_000_000;

export interface MinutesSimulated {
  readonly simulated: Simulated;
  readonly by: 'events' | 'fluid';
  /** Why not as a fluid, where there are more invocations than are replayed otherwise; null where there is nothing to say. */
  readonly obstacle: string | null;
}

/**
 * As `simulate`, of traffic that is known by the minute alone. Up to 5 million invocations are replayed one by one, at moments drawn within
 * their minutes. More are taken as a fluid where that is as good; see {@link fluidObstacle}.
 *
 * Throws `bad-request` where traffic or model are none that can be replayed, or more than 50 million must be replayed one by one.
 */
export function simulateMinutes(
  traffic: MinuteTraffic,
  model: FunctionModel | ServiceModel,
  seed: number,
): MinutesSimulated {
  checkModel(model);
  checkMinutes(traffic);
  const few = totalOf(traffic) <= REPLAYED;
  const obstacle = few ? null : fluidObstacle(traffic, model);
  return few || obstacle !== null
    ? { simulated: simulate(minuteArrivals(traffic, seed), model, seed), by: 'events', obstacle }
    : { simulated: simulateFluid(traffic, model, seed), by: 'fluid', obstacle };
}

/** As a fluid, whether that is as good or not. */
export function simulateFluid(
  traffic: MinuteTraffic,
  model: FunctionModel | ServiceModel,
  seed: number,
): Simulated {
  const durations = new DurationTable(traffic.duration);
  const { memoryBytes } = model.settings;
  return model.mode === 'function'
    ? fluidResult(traffic, model.mode, memoryBytes, model.coldStart, fluidFunction(traffic, model, durations))
    : fluidResult(
        traffic,
        model.mode,
        memoryBytes,
        model.start,
        fluidService(traffic, model, durations, seed),
      );
}

function checkMinutes({ component, fromMs, invocations, duration, cpuShare }: MinuteTraffic): void {
  const wrong = (text: string): FulcrumError =>
    new FulcrumError('bad-request', `The traffic of "${component}" cannot be simulated: ${text}.`);
  if (!Number.isSafeInteger(fromMs / MINUTE_MS))
    throw wrong(`it must begin with a minute of the clock, and begins at ${fromMs} ms`);
  if (invocations.length === 0) throw wrong('it has no minutes');
  for (let minute = 0; minute < invocations.length; minute++) {
    const count = invocations[minute]!;
    if (!Number.isSafeInteger(count) || count < 0)
      throw wrong(`the number of minute ${minute} must be whole and 0 or more, and is ${count}`);
  }
  const { quantilesMs } = duration;
  if (quantilesMs.length === 0) throw wrong('its durations must have one quantile at least');
  for (const [i, ms] of quantilesMs.entries()) {
    const least = i === 0 ? 0 : quantilesMs[i - 1]!;
    if (!(ms >= least && ms < Infinity))
      throw wrong(`quantile ${i} of its durations must be ${least} ms or more, and is ${ms}`);
  }
  if (!(cpuShare >= 0 && cpuShare <= 1))
    throw wrong(`its share of CPU time must be 0 to 1, and is ${cpuShare}`);
}

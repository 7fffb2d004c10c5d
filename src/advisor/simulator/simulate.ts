import type { FunctionModel, ServiceModel, Simulated, Traffic } from '../../model/simulation.ts';
import { checkModel, checkTraffic } from './checks.ts';
import { FunctionReplay } from './function-replay.ts';
import { ServiceReplay } from './service-replay.ts';
import { Tally } from './tally.ts';

/**
 * Replays `traffic` against one component in one mode: what it would have used, how long invocations would have taken, and how many
 * instances there would have been. A pure function: the same traffic, model and seed give the same, to the last bit.
 *
 * @param seed a whole number; whatever is drawn by chance follows from it.
 * @param latenciesFromMs of what arrives earlier, latencies tell nothing: see {@link Tally}.
 * Throws `usage` where traffic or model are none that can be replayed.
 */
export function simulate(
  traffic: Traffic,
  model: FunctionModel | ServiceModel,
  seed: number,
  latenciesFromMs = traffic.fromMs,
): Simulated {
  checkTraffic(traffic);
  checkModel(model);
  const tally = new Tally(traffic, latenciesFromMs);
  if (model.mode === 'function') new FunctionReplay(traffic, model, seed, tally).run();
  else new ServiceReplay(traffic, model, seed, tally).run();
  return tally.result(model.mode, model.settings.memoryBytes);
}

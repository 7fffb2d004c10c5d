import type { Mode } from '../../model/app.ts';
import type { FactModels } from '../own/models-of-facts.ts';
import { atLevel } from './levels.ts';
import type { Prices } from './prices.ts';
import type { PerMode } from './request.ts';
import type { WindowReplay } from './window-replay.ts';

/** What each mode costs with `times` the traffic, a month, by what was replayed once: no new replay. Null where nobody sells it. */
export function estimatedCosts(
  replays: PerMode<WindowReplay>,
  models: FactModels,
  prices: Prices,
  operations: PerMode<number>,
  times: number,
): PerMode<number | null> {
  const of = (mode: Mode): number | null => {
    const { settings } = models[mode];
    const minReplicas = 'minReplicas' in settings ? settings.minReplicas : 0;
    const seller = prices.cheapest(atLevel(replays[mode].used, times, minReplicas));
    return seller === null ? null : seller.perMonth + operations[mode];
  };
  return { function: of('function'), service: of('service') };
}

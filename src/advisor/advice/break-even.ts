import type { BreakEven } from '../../model/advice.ts';
import { bandAround } from './outlook.ts';

/** Both ways from the present traffic, in doublings. */
const FARTHEST = 14;
const GRID_PER_DOUBLING = 2;
const HALVINGS = 14;
/** Refined by replays between these. */
const NEAR = 2;
const REFINEMENTS = 5;

/** What the service costs beside the function at `times` the traffic: the logarithm of its share; null where either is not sold or costs nothing. */
export type Imbalance = (times: number) => number | null;

/**
 * The least change of traffic at which both modes cost the same, up or down to 16,384 times; null where there is none.
 * @param estimate quick, by what was replayed. @param replay slow and right, asked some times around what the quick one says; null: not asked.
 */
export function breakEvenTimes(estimate: Imbalance, replay: Imbalance | null): number | null {
  const bracket = nearestBracket(estimate);
  if (bracket === null) return null;
  const times = rootIn(bracket, estimate, HALVINGS);
  if (replay === null) return times;
  const [low, high] = [times / NEAR, times * NEAR];
  const [atLow, atHigh] = [replay(low), replay(high)];
  // Where replays see it elsewhere, the estimate is as good as anything.
  if (atLow === null || atHigh === null || atLow > 0 === atHigh > 0) return times;
  return rootIn([low, high], replay, REFINEMENTS);
}

/** @param rates by sample: its traffic over the window's. */
export function breakEvenOf(times: number, perSecond: number, rates: readonly number[]): BreakEven {
  return {
    times,
    band: bandAround(
      times,
      rates.filter((rate) => rate > 0).map((rate) => times / rate),
    ),
    perSecond: times * perSecond,
  };
}

/** Two neighbours on a grid of doublings between which it changes its sign, as near to 1 as there are any. */
function nearestBracket(imbalance: Imbalance): [number, number] | null {
  const at = (step: number): number => 2 ** (step / GRID_PER_DOUBLING);
  const signs = new Map<number, boolean | null>();
  const sign = (step: number): boolean | null => {
    if (!signs.has(step)) {
      const value = imbalance(at(step));
      signs.set(step, value === null ? null : value > 0);
    }
    return signs.get(step)!;
  };
  for (let distance = 0; distance < FARTHEST * GRID_PER_DOUBLING; distance++) {
    for (const step of [distance, -distance - 1]) {
      const [low, high] = [sign(step), sign(step + 1)];
      if (low !== null && high !== null && low !== high) return [at(step), at(step + 1)];
    }
  }
  return null;
}

/** By halving on a logarithmic scale; the last step along a straight line. */
function rootIn([from, to]: [number, number], imbalance: Imbalance, halvings: number): number {
  let [low, high] = [from, to];
  let [atLow, atHigh] = [imbalance(low)!, imbalance(high)!];
  for (let i = 0; i < halvings; i++) {
    const middle = Math.sqrt(low * high);
    const at = imbalance(middle);
    if (at === null) break;
    if (at > 0 === atLow > 0) [low, atLow] = [middle, at];
    else [high, atHigh] = [middle, at];
  }
  const share = atHigh === atLow ? 0.5 : -atLow / (atHigh - atLow);
  return low * (high / low) ** Math.min(1, Math.max(0, share));
}

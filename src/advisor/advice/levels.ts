import type { PriceBook } from '../../model/price-book.ts';
import type { Used } from '../../model/used.ts';
import { timesUsed } from './block-replay.ts';
import type { Prices } from './prices.ts';

/** Ascending: so many times the traffic. */
const LEVELS = [0, 0.125, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4, 8];
const SAME = 1e-9;

/**
 * What a block costs at other levels of the same traffic, by what was replayed at its own: sums and load times the level, and at least
 * the replicas that are always there. Between levels along a straight line, and so beyond the last.
 */
export class LevelCosts {
  readonly #levels: readonly number[];
  readonly #costs: readonly number[];

  constructor(used: Used, book: PriceBook, prices: Prices, minReplicas: number) {
    const at = (level: number): number => prices.costOf(atLevel(used, level, minReplicas), book);
    const [none, one, most] = [at(0), at(1), at(LEVELS.at(-1)!)];
    // Whatever is paid by use goes along a straight line, and a service that is never busy costs the same all the way.
    const straight = used.mode === 'function' && !prices.freeTier && book.machine === null;
    if (straight || Math.abs(most - none) <= SAME * most) {
      this.#levels = [0, 1];
      this.#costs = [none, one];
    } else {
      this.#levels = LEVELS;
      this.#costs = LEVELS.map((level) => (level === 0 ? none : level === 1 ? one : at(level)));
    }
  }

  at(level: number): number {
    const levels = this.#levels;
    let i = 1;
    while (i < levels.length - 1 && levels[i]! < level) i++;
    const [from, to] = [levels[i - 1]!, levels[i]!];
    const [low, high] = [this.#costs[i - 1]!, this.#costs[i]!];
    return low + ((high - low) * (level - from)) / (to - from);
  }
}

/**
 * Those replicas that are always there stay as many; what lived beside them goes with the traffic. What the load needs is found by whoever prices it.
 * @param minReplicas of a service; 0 of a function.
 */
export function atLevel(used: Used, level: number, minReplicas: number): Used {
  if (level === 1) return used;
  const scaled = timesUsed(used, level);
  const leastMs = minReplicas * (used.toMs - used.fromMs);
  const { instances } = used;
  const livedMs = leastMs + Math.max(0, instances.livedMs - leastMs) * level;
  const started = minReplicas + Math.max(0, instances.started - minReplicas) * level;
  return { ...scaled, instances: { ...scaled.instances, livedMs, started } };
}

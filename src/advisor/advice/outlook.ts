import type { Band, ModeOutlook } from '../../model/advice.ts';
import { MOST_REFUSED } from './choice.ts';
import { HOURS_OF_MONTH } from './month.ts';
import { LevelCosts } from './levels.ts';
import { Latencies } from './merged.ts';
import type { FactModels } from '../own/models-of-facts.ts';
import type { Prices, Seller } from './prices.ts';
import type { Sample } from './samples.ts';
import type { WindowReplay } from './window-replay.ts';

const HOUR_MS = 3_600_000;

/** One mode's outlook, and what it is made of. */
export interface SampledOutlook {
  readonly outlook: ModeOutlook;
  /** By sample: a month, operations included. Null where nobody sells it. */
  readonly perMonth: Float64Array | null;
  /** By sample: 1 where it meets the objective, and serves what comes. */
  readonly meets: Uint8Array;
}

export interface OutlookQuestion {
  readonly replay: WindowReplay;
  readonly samples: readonly Sample[];
  readonly models: FactModels;
  readonly prices: Prices;
  /** A month. */
  readonly operations: number;
  readonly objectiveMs: number | null;
}

/** Middles are of the window as it was, so that they are what the lines of the bill come to; around them lies what the next one may be. */
export function outlookOf(question: OutlookQuestion): SampledOutlook {
  const { replay, prices, operations } = question;
  const { mode, used } = replay;
  const seller = prices.cheapest(used);
  const perMonth = seller === null ? null : monthsOf(question, seller);
  const blocks = replay.placements[0]!;
  const { meets, ...latency } = latencyOf(question);
  const sum = (of: (block: (typeof blocks)[number]) => number): number =>
    blocks.reduce((total, block) => total + of(block), 0);
  return {
    perMonth,
    meets,
    outlook: {
      mode,
      perMonth: perMonth === null ? null : bandAround(seller!.perMonth + operations, perMonth),
      book: seller?.book.id ?? null,
      lines: seller?.lines ?? [],
      operations,
      ...latency,
      coldStarts: Math.round(sum(({ coldStarts }) => coldStarts)),
      executed: Math.round(sum(({ executed }) => executed)),
      refused: Math.round(sum(({ refused }) => refused)),
      instances: {
        mean: used.instances.livedMs / (used.toMs - used.fromMs),
        peak: blocks.reduce((most, { peak }) => Math.max(most, peak), 0),
      },
    },
  };
}

function monthsOf(
  { replay, samples, models, prices, operations }: OutlookQuestion,
  seller: Seller,
): Float64Array {
  const { book } = seller;
  const { settings } = models[replay.mode];
  const minReplicas = 'minReplicas' in settings ? settings.minReplicas : 0;
  const costs = replay.placements.map((blocks) =>
    blocks.map(({ used }) => new LevelCosts(used, book, prices, minReplicas)),
  );
  const lengths = replay.placements[0]!.map(({ used }) => used.toMs - used.fromMs);
  // Blocks are each sized for themselves; the window as a whole may need to be larger.
  const apart = costs[0]!.reduce((sum, cost) => sum + cost.at(1), 0);
  const whole = prices.costOf(replay.used, book);
  const together = apart > 0 ? whole / apart : 1;
  return Float64Array.from(samples, ({ blocks, placements, level, slowness }) => {
    let cost = 0;
    let lengthMs = 0;
    for (let i = 0; i < blocks.length; i++) {
      cost += costs[placements[i]!]![blocks[i]!]!.at(level * slowness);
      lengthMs += lengths[blocks[i]!]!;
    }
    return (cost * together * HOURS_OF_MONTH * HOUR_MS) / lengthMs + operations;
  });
}

function latencyOf({
  replay,
  samples,
  objectiveMs,
}: OutlookQuestion): Pick<ModeOutlook, 'p50Ms' | 'p99Ms' | 'meetsObjective'> & Pick<SampledOutlook, 'meets'> {
  const flat = replay.placements.flat();
  const each = replay.placements[0]!.length;
  const latencies = new Latencies(flat);
  const p50: number[] = [];
  const p99: number[] = [];
  const widening = latencySpread(replay);
  const meets = new Uint8Array(samples.length);
  for (const [sample, { blocks, placements, deviate, slowness }] of samples.entries()) {
    const weights = new Float64Array(flat.length);
    let [executed, refused] = [0, 0];
    for (let i = 0; i < blocks.length; i++) {
      const at = placements[i]! * each + blocks[i]!;
      weights[at]! += flat[at]!.executed;
      executed += flat[at]!.executed;
      refused += flat[at]!.refused;
    }
    const found = latencies.at(weights, [0.5, 0.99]);
    const p99Ms = found === null ? null : found[1]! * slowness * Math.exp(widening * deviate);
    if (found !== null) {
      p50.push(found[0]! * slowness);
      p99.push(p99Ms!);
    }
    const serves = refused <= MOST_REFUSED * (executed + refused);
    if (serves && (objectiveMs === null || p99Ms === null || p99Ms <= objectiveMs)) meets[sample] = 1;
  }
  const own = windowLatency(replay);
  return {
    p50Ms: own === null ? null : bandAround(own.p50Ms, p50),
    p99Ms: own === null ? null : bandAround(own.p99Ms, p99),
    meets,
    meetsObjective: meets.reduce((met, one) => met + one, 0) / samples.length,
  };
}

/** Of the window as it was; null where nothing was executed. */
export function windowLatency({ placements }: WindowReplay): { p50Ms: number; p99Ms: number } | null {
  const [blocks] = placements as [(typeof placements)[number]];
  const found = new Latencies(blocks).at(
    blocks.map(({ executed }) => executed),
    [0.5, 0.99],
  );
  return found === null ? null : { p50Ms: found[0]!, p99Ms: found[1]! };
}

/** How far the next window's p99 is off beyond what drawing blocks tells, as a standard deviation of its logarithm. */
function latencySpread({ placements }: WindowReplay): number {
  const logs = placements[0]!
    .filter(({ latencyQuantilesMs }) => latencyQuantilesMs.length > 0)
    .map(({ latencyQuantilesMs }) => Math.log(Math.max(1e-3, latencyQuantilesMs[99]!)));
  if (logs.length < 2) return 0;
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (logs.length - 1);
  return Math.sqrt(variance / logs.length);
}

/** `mid`, and what lies between the 5th and 95th percentile of `values`, or reaches to `mid`. */
export function bandAround(mid: number, values: ArrayLike<number>): Band {
  if (values.length === 0) return { low: mid, mid, high: mid };
  const { low, high } = bandOf(values);
  return { low: Math.min(low, mid), mid, high: Math.max(high, mid) };
}

/** Their middle, and 5th and 95th percentile. At least one. */
export function bandOf(values: ArrayLike<number>): Band {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const [low, high] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
    // Infinite both: no difference to go along.
    return low === high ? low : low + (high - low) * (place - below);
  };
  return { low: at(0.05), mid: at(0.5), high: at(0.95) };
}

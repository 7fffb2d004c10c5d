import { Random } from '../random.ts';
import type { Doubt } from './request.ts';

/** One thing that the next window may be like: blocks of the last one, and all of them at another level. */
export interface Sample {
  /** Numbers of blocks, as many as the window has. */
  readonly blocks: Uint32Array;
  /** Of each of `blocks`: which of its placements. */
  readonly placements: Uint32Array;
  /** Arrivals times this. */
  readonly level: number;
  /** All durations times this. */
  readonly slowness: number;
  /** Of the standard t distribution, by as many degrees of freedom as the level's: what else is uncertain goes by it. */
  readonly deviate: number;
}

/** Standard deviation of the logarithm from one window to the next, where all blocks are alike: what seems even changes all the same. */
const DRIFT = 0.02;
/** Of the variance of a window's mean: the last one has it, and so has the next. */
const BOTH = 2;
/** Beyond that nobody can say anything. */
const MOST_LOG = 3;
/** Of a block's distance from the mean, what the next one has at most. */
const MOST_HELD = 0.8;
/** Of fewer blocks neighbours tell nothing. */
const LEAST_CORRELATED = 4;

/**
 * What the next window may be: blocks drawn with replacement (the block bootstrap: Künsch, Annals of Statistics 17, 1989), times a level that
 * makes of it a prediction. Drawing tells how far the last window's mean may be from the true one, too little where blocks are few or go with their
 * neighbours; the next window's mean is as far from the true one again. So the logarithm of the level is distributed as Student's t with as many degrees of freedom
 * as there are blocks less one, and a variance that makes up for both. How much windows differ whose blocks are alike was found on real traffic.
 * @param weights of each block: what it made of work or cost, in units of its own.
 * @param doubt of what was described rather than measured.
 */
export function samplesOf(
  weights: readonly number[],
  placements: number,
  count: number,
  seed: number,
  doubt: Doubt | null,
): Sample[] {
  const random = new Random(seed, 'blocks');
  const doubts = new Random(seed, 'doubt');
  const blocks = weights.length;
  const freedom = Math.max(1, blocks - 1);
  const spread = levelSpread(weights);
  return Array.from({ length: count }, (): Sample => {
    const deviate = studentT(freedom, random);
    const rate = doubt === null ? 1 : Math.exp(doubt.rate * doubts.normal());
    const slowness = doubt === null ? 1 : Math.exp(doubt.duration * doubts.normal());
    const log = Math.max(-MOST_LOG, Math.min(MOST_LOG, spread * deviate));
    return {
      blocks: Uint32Array.from({ length: blocks }, () => Math.floor(random.next() * blocks)),
      placements: Uint32Array.from({ length: blocks }, () => Math.floor(random.next() * placements)),
      level: Math.exp(log) * rate,
      slowness,
      deviate,
    };
  });
}

/** By sample: what it has over what the window had. @param weights of each block: what came in it. */
export function ratesOf(samples: readonly Sample[], weights: readonly number[]): number[] {
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  if (whole === 0) return [];
  return samples.map(
    ({ blocks, level }) => (blocks.reduce((sum, block) => sum + weights[block]!, 0) * level) / whole,
  );
}

/** Standard deviation of the logarithm of a window's level. */
function levelSpread(weights: readonly number[]): number {
  const blocks = weights.length;
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / blocks;
  if (mean === 0) return DRIFT;
  const variance =
    blocks < 2 ? mean ** 2 : weights.reduce((sum, weight) => sum + (weight - mean) ** 2, 0) / (blocks - 1);
  const ofMean = variance / blocks / mean ** 2;
  const held = persistence(weights, mean);
  const more = (1 + held) / (1 - held);
  // Drawing blocks gives one part of the variance, as if they knew nothing of each other.
  const missing = Math.max(0, BOTH * more - (1 - 1 / blocks));
  // The variance of a logarithm: a relative one above 1 is none any more.
  return Math.sqrt(DRIFT ** 2 + Math.log1p(ofMean * missing));
}

/**
 * How much of a block's distance from the mean the next one has: the correlation of neighbours, 0 to the most. That of few blocks comes out too low
 * (Marriott and Pope, Biometrika 41, 1954), which is made up for.
 */
function persistence(weights: readonly number[], mean: number): number {
  const blocks = weights.length;
  if (blocks < LEAST_CORRELATED) return 0;
  let [all, neighbours] = [0, 0];
  for (let i = 0; i < blocks; i++) {
    all += (weights[i]! - mean) ** 2;
    if (i > 0) neighbours += (weights[i]! - mean) * (weights[i - 1]! - mean);
  }
  if (all === 0) return 0;
  const found = neighbours / all;
  return Math.min(MOST_HELD, Math.max(0, found + (1 + 3 * found) / blocks));
}

/** By a normal number over the root of a chi-squared one's mean. */
function studentT(freedom: number, random: Random): number {
  let squares = 0;
  for (let i = 0; i < freedom; i++) squares += random.normal() ** 2;
  return random.normal() / Math.sqrt(squares / freedom);
}

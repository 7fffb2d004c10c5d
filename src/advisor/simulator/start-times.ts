import type { Times } from '../../model/simulation.ts';
import type { Random } from '../random.ts';

/** Draws from a distribution: between two quantiles of its table each time is as likely as any other. */
export function drawn({ quantilesMs }: Times, random: Random): number {
  const last = quantilesMs.length - 1;
  const at = random.next() * last;
  const below = Math.floor(at);
  const belowMs = quantilesMs[below]!;
  return last === 0 ? belowMs : belowMs + (quantilesMs[below + 1]! - belowMs) * (at - below);
}

/** Its mean, by the same rule. */
export function meanOf({ quantilesMs }: Times): number {
  const last = quantilesMs.length - 1;
  if (last === 0) return quantilesMs[0]!;
  let sum = 0;
  for (let i = 0; i < last; i++) sum += (quantilesMs[i]! + quantilesMs[i + 1]!) / 2;
  return sum / last;
}

import type { Used } from '../../model/used.ts';
import type { BlockReplay } from './block-replay.ts';

/** Blocks that follow one another, as one stretch. At least one. */
export function mergedUsed(parts: readonly Used[]): Used {
  const [first] = parts as [Used, ...Used[]];
  if (parts.length === 1) return first;
  const sum = (of: (used: Used) => number): number => parts.reduce((total, used) => total + of(used), 0);
  const durations = new Map<number, number>();
  for (const used of parts) {
    for (const [ms, count] of used.durations) durations.set(ms, (durations.get(ms) ?? 0) + count);
  }
  const instances = (of: (used: Used['instances']) => number): number => sum((used) => of(used.instances));
  return {
    ...first,
    toMs: parts.at(-1)!.toMs,
    executed: sum((used) => used.executed),
    internal: sum((used) => used.internal),
    refused: sum((used) => used.refused),
    cold: sum((used) => used.cold),
    wholeMs: sum((used) => used.wholeMs),
    hundredsMs: parts.some((used) => used.hundredsMs === null) ? null : sum((used) => used.hundredsMs!),
    startMs: sum((used) => used.startMs),
    byteMs: sum((used) => used.byteMs),
    cpuMs: sum((used) => used.cpuMs),
    bytesIn: sum((used) => used.bytesIn),
    bytesOut: sum((used) => used.bytesOut),
    durations: [...durations].toSorted(([a], [b]) => a - b),
    instances: {
      started: instances(({ started }) => started),
      livedMs: instances(({ livedMs }) => livedMs),
      heldByteMs: instances(({ heldByteMs }) => heldByteMs),
      usedByteMs: null,
      cpuMs: instances(({ cpuMs }) => cpuMs),
    },
    load: parts.flatMap((used) => used.load),
  };
}

/** Quantiles of several blocks together: each block's stand for as many as were executed in it. */
export class Latencies {
  readonly #ms: Float64Array;
  readonly #block: Uint32Array;

  constructor(blocks: readonly Pick<BlockReplay, 'latencyQuantilesMs'>[]) {
    const all = blocks.flatMap(({ latencyQuantilesMs }, block) =>
      latencyQuantilesMs.map((ms) => ({ ms, block })),
    );
    all.sort((a, b) => a.ms - b.ms);
    this.#ms = Float64Array.from(all, ({ ms }) => ms);
    this.#block = Uint32Array.from(all, ({ block }) => block);
  }

  /** @param weights of each block: invocations. @param shares ascending, 0 to 1. Null where there is nothing. */
  at(weights: ArrayLike<number>, shares: readonly number[]): number[] | null {
    let total = 0;
    for (let i = 0; i < this.#ms.length; i++) total += weights[this.#block[i]!]!;
    if (total === 0) return null;
    const found: number[] = [];
    let below = 0;
    for (let i = 0; i < this.#ms.length; i++) {
      below += weights[this.#block[i]!]!;
      // Of one block alone: its own quantile, half a step of rounding allowed.
      while (found.length < shares.length && below >= ((shares[found.length]! * 100 + 0.5) / 101) * total)
        found.push(this.#ms[i]!);
      if (found.length === shares.length) break;
    }
    while (found.length < shares.length) found.push(this.#ms.at(-1)!);
    return found;
  }
}

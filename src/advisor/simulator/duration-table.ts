import type { Times } from '../../model/simulation.ts';

/** So many equally likely durations stand for the whole table. */
const SAMPLES = 4_096;

/** A distribution of times as equally likely samples of it, evenly spread over its quantiles. */
export class DurationTable {
  readonly samplesMs: Float64Array;
  readonly meanMs: number;
  /** Of the squares, in ms². */
  readonly squareMs: number;

  constructor({ quantilesMs }: Times) {
    const last = quantilesMs.length - 1;
    this.samplesMs = Float64Array.from({ length: SAMPLES }, (_, i) => {
      const at = ((i + 0.5) / SAMPLES) * last;
      const below = Math.floor(at);
      const belowMs = quantilesMs[below]!;
      return last === 0 ? belowMs : belowMs + (quantilesMs[below + 1]! - belowMs) * (at - below);
    });
    this.meanMs = this.#mean((ms) => ms);
    this.squareMs = this.#mean((ms) => ms * ms);
  }

  #mean(of: (ms: number) => number): number {
    return this.samplesMs.reduce((sum, ms) => sum + of(ms), 0) / SAMPLES;
  }
}

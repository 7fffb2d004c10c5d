import type { Random } from '../random.ts';

/**
 * How many are in flight where nobody waits, step by step: around its mean it wavers as an Ornstein-Uhlenbeck process does, with the
 * mean itself as its variance and a handler's duration as its memory, which is what the number in an M/M/∞ system comes to where it is
 * large (Whitt, "On the heavy-traffic limit theorem for GI/G/∞ queues", Advances in Applied Probability 14, 1982).
 */
export class Level {
  /** At the end of the latest step. */
  now = 0;
  readonly #random: Random;
  /** Of deviations: what is left after a step, and what a step's mean keeps of them. */
  readonly #kept: number;
  readonly #part: number;
  /** Spreads of a step's end and of its mean, for a level of 1, and how they go together. */
  readonly #endSpread: number;
  readonly #meanSpread: number;
  readonly #together: number;
  #deviation = 0;

  constructor(durationMs: number, stepMs: number, random: Random) {
    this.#random = random;
    const u = stepMs / durationMs;
    this.#kept = Math.exp(-u);
    this.#part = (1 - this.#kept) / u;
    const end = 1 - this.#kept ** 2;
    // Small differences of large numbers where handlers take much longer than a step: then by their series.
    const mean = u < 0.01 ? (2 * u) / 3 : (2 * (u - 2 * (1 - this.#kept) + end / 2)) / u ** 2;
    this.#endSpread = Math.sqrt(end);
    this.#meanSpread = Math.sqrt(Math.max(0, mean));
    this.#together = Math.min(1, (1 - this.#kept) ** 2 / u / (this.#endSpread * this.#meanSpread));
  }

  /** A step during which `level` is the mean. @returns the step's own mean. */
  next(level: number): number {
    const spread = Math.sqrt(level);
    const one = this.#random.normal();
    const other = this.#random.normal();
    const mean =
      level +
      this.#deviation * this.#part +
      spread * this.#meanSpread * (this.#together * one + Math.sqrt(1 - this.#together ** 2) * other);
    this.#deviation = this.#deviation * this.#kept + spread * this.#endSpread * one;
    this.now = Math.max(0, level + this.#deviation);
    return Math.max(0, mean);
  }
}

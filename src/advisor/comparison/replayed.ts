import type { Mode } from '../../model/app.ts';
import type { ModeResult } from '../../model/comparison.ts';
import type { Simulated } from '../../model/simulation.ts';
import type { Used } from '../../model/used.ts';
import type { Span } from '../traffic/traced.ts';

const MINUTE_MS = 60_000;
const GB_SECOND = 1024 ** 3 * 1_000;

/** One mode's replays, one function after the other. Keeps what bills are made of, and of the rest sums alone. */
export class Replayed {
  readonly mode: Mode;
  readonly used: Used[] = [];
  /** Of each function, in ms; null where nothing was executed. */
  readonly p99Ms: (number | null)[] = [];
  readonly #span: Span;
  /** By minute: instances that lived. */
  readonly #living: Float64Array;
  /** Latency quantiles of all functions, and how many invocations each stands for. */
  readonly #latencies: number[] = [];
  readonly #weights: number[] = [];
  #coldStarts = 0;
  #refused = 0;

  constructor(mode: Mode, span: Span) {
    this.mode = mode;
    this.#span = span;
    this.#living = new Float64Array(Math.max(1, Math.ceil((span.toMs - firstMinute(span)) / MINUTE_MS)));
  }

  add({ used, latencyQuantilesMs, coldStarts, refused, minutes }: Simulated): void {
    this.used.push(used);
    this.#coldStarts += coldStarts;
    this.#refused += refused;
    this.p99Ms.push(used.executed === 0 ? null : latencyQuantilesMs[99]!);
    if (used.executed > 0) {
      // A quantile stands for those around it: the two ends for half as many.
      for (const [i, latencyMs] of latencyQuantilesMs.entries()) {
        this.#latencies.push(latencyMs);
        this.#weights.push((i === 0 || i === latencyQuantilesMs.length - 1 ? 0.5 : 1) * used.executed);
      }
    }
    const first = firstMinute(this.#span);
    for (const { minuteMs, living } of minutes) {
      const at = Math.round((minuteMs - first) / MINUTE_MS);
      if (at >= 0 && at < this.#living.length) this.#living[at]! += living;
    }
  }

  result(): ModeResult {
    const sum = (of: (used: Used) => number): number =>
      this.used.reduce((total, used) => total + of(used), 0);
    const executed = sum((used) => used.executed);
    return {
      mode: this.mode,
      executed,
      refused: this.#refused,
      coldStarts: this.#coldStarts,
      latency: executed === 0 ? null : this.#latency(),
      instances: {
        mean: sum((used) => used.instances.livedMs) / (this.#span.toMs - this.#span.fromMs),
        peak: this.#living.reduce((most, living) => Math.max(most, living), 0),
      },
      used: {
        wholeMs: sum((used) => used.wholeMs),
        startMs: sum((used) => used.startMs),
        cpuMs: sum((used) => used.cpuMs),
        gbSeconds: sum((used) => used.byteMs) / GB_SECOND,
      },
    };
  }

  /** Exact for one function; of several, as good as a hundred quantiles of each tell. */
  #latency(): NonNullable<ModeResult['latency']> {
    if (this.#latencies.length === 101) {
      return { p50Ms: this.#latencies[50]!, p95Ms: this.#latencies[95]!, p99Ms: this.#latencies[99]! };
    }
    const order = Uint32Array.from(this.#latencies.keys()).sort(
      (a, b) => this.#latencies[a]! - this.#latencies[b]!,
    );
    const total = this.#weights.reduce((sum, weight) => sum + weight, 0);
    const at = (share: number): number => {
      let below = 0;
      for (const i of order) {
        below += this.#weights[i]!;
        if (below >= share * total) return this.#latencies[i]!;
      }
      return this.#latencies[order.at(-1)!]!;
    };
    return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
  }
}

function firstMinute({ fromMs }: Span): number {
  return Math.floor(fromMs / MINUTE_MS) * MINUTE_MS;
}

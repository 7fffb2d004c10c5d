import type { Mode } from '../../model/app.ts';
import type { ModeResult } from '../../model/comparison.ts';
import type { Simulated } from '../../model/simulation.ts';
import type { Used } from '../../model/used.ts';
import { Histogram } from '../simulator/histogram.ts';
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
  readonly #latencies = new Histogram();
  #leastMs = Infinity;
  #mostMs = 0;
  #coldStarts = 0;
  #refused = 0;

  constructor(mode: Mode, span: Span) {
    this.mode = mode;
    this.#span = span;
    this.#living = new Float64Array(Math.max(1, Math.ceil((span.toMs - firstMinute(span)) / MINUTE_MS)));
  }

  add({ used, latencyQuantilesMs, latencies, coldStarts, refused, minutes }: Simulated): void {
    this.used.push(used);
    this.#coldStarts += coldStarts;
    this.#refused += refused;
    this.p99Ms.push(used.executed === 0 ? null : latencyQuantilesMs[99]!);
    for (const [ms, count] of latencies) this.#latencies.add(ms, count);
    this.#leastMs = Math.min(this.#leastMs, latencyQuantilesMs[0] ?? Infinity);
    this.#mostMs = Math.max(this.#mostMs, latencyQuantilesMs.at(-1) ?? 0);
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

  #latency(): NonNullable<ModeResult['latency']> {
    const quantilesMs = this.#latencies.quantiles(100, this.#leastMs, this.#mostMs);
    return { p50Ms: quantilesMs[50]!, p95Ms: quantilesMs[95]!, p99Ms: quantilesMs[99]! };
  }
}

function firstMinute({ fromMs }: Span): number {
  return Math.floor(fromMs / MINUTE_MS) * MINUTE_MS;
}

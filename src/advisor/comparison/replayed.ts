import type { Mode } from '../../model/app.ts';
import type { ModeResult } from '../../model/comparison.ts';
import type { Simulated } from '../../model/simulation.ts';
import type { Used } from '../../model/used.ts';
import { Histogram } from '../simulator/histogram.ts';
import type { Span } from '../traffic/traced.ts';

const MINUTE_MS = 60_000;
const MOST_STRETCHES = 200;
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
  readonly #coldWaits = new Histogram();
  #leastMs = Infinity;
  #mostMs = 0;
  #coldStarts = 0;
  #refused = 0;

  constructor(mode: Mode, span: Span) {
    this.mode = mode;
    this.#span = span;
    this.#living = new Float64Array(Math.max(1, Math.ceil((span.toMs - firstMinute(span)) / MINUTE_MS)));
  }

  add({ used, latencyQuantilesMs, latencies, coldWaits, coldStarts, refused, minutes }: Simulated): void {
    this.used.push(used);
    this.#coldStarts += coldStarts;
    this.#refused += refused;
    this.p99Ms.push(used.executed === 0 ? null : latencyQuantilesMs[99]!);
    for (const [ms, count] of latencies) this.#latencies.add(ms, count);
    for (const [ms, count] of coldWaits) this.#coldWaits.add(ms, count);
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
    const quantilesMs = this.#latencies.quantiles(100, this.#leastMs, this.#mostMs);
    return {
      mode: this.mode,
      executed,
      refused: this.#refused,
      coldStarts: this.#coldStarts,
      latency:
        executed === 0 ? null : { p50Ms: quantilesMs[50]!, p95Ms: quantilesMs[95]!, p99Ms: quantilesMs[99]! },
      instances: {
        mean: sum((used) => used.instances.livedMs) / (this.#span.toMs - this.#span.fromMs),
        peak: this.#living.reduce((most, living) => Math.max(most, living), 0),
      },
      quantilesMs: { latency: quantilesMs, coldStart: this.#coldQuantilesMs() },
      livingOverTime: this.#livingOverTime(),
      used: {
        wholeMs: sum((used) => used.wholeMs),
        startMs: sum((used) => used.startMs),
        cpuMs: sum((used) => used.cpuMs),
        gbSeconds: sum((used) => used.byteMs) / GB_SECOND,
      },
    };
  }

  #coldQuantilesMs(): number[] {
    const buckets = this.#coldWaits.buckets();
    return this.#coldWaits.quantiles(100, buckets[0]?.[0] ?? 0, buckets.at(-1)?.[0] ?? 0);
  }

  #livingOverTime(): ModeResult['livingOverTime'] {
    const minutes = this.#living.length;
    const each = Math.ceil(minutes / MOST_STRETCHES);
    const living = Array.from({ length: Math.ceil(minutes / each) }, (_, i) => {
      const part = this.#living.subarray(i * each, (i + 1) * each);
      return part.reduce((sum, one) => sum + one, 0) / part.length;
    });
    return { fromMs: firstMinute(this.#span), everyMs: each * MINUTE_MS, living };
  }
}

function firstMinute({ fromMs }: Span): number {
  return Math.floor(fromMs / MINUTE_MS) * MINUTE_MS;
}

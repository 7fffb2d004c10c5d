import type { Mode } from '../model/app.ts';
import type { Outcome } from '../model/invocation.ts';
import type { UsageMinute } from '../model/usage-store.ts';
import type { UsageRecord } from '../model/usage.ts';
import { bucketOf, Sketch } from './sketch.ts';

export const MINUTE_MS = 60_000;

/** What makes two records count together. */
export interface CellKey {
  readonly component: string;
  readonly revision: string;
  readonly mode: Mode;
  readonly outcome: Outcome;
  readonly minuteMs: number;
  readonly spanMs: number;
}

/**
 * Counts of one component, minute, outcome, mode and revision while they grow.
 *
 * `touchedMs` is monotonic time. `dirty`: holds more than was ever put into a batch. `sent`: was part of a batch, whether
 * that arrived or not; from then on it must keep its part and may not be folded, or it would be counted twice.
 */
export class MinuteCell {
  readonly part: string;
  readonly key: CellKey;
  touchedMs: number;
  dirty = false;
  sent = false;
  keptRows = 0;
  #count = 0;
  #cold = 0;
  #waitedMs = 0;
  #startMs = 0;
  #durationMs = 0;
  #billedMs = 0;
  #billedByteMs = 0;
  #cpuMs = 0;
  readonly #latency = new Sketch();
  readonly #duration = new Sketch();

  constructor(part: string, key: CellKey, touchedMs: number) {
    this.part = part;
    this.key = key;
    this.touchedMs = touchedMs;
  }

  /** @param durationBucket the sketch bucket of the record's duration, which the caller has at hand. */
  add(record: UsageRecord, durationBucket: number): void {
    this.#count++;
    if (record.cold) this.#cold++;
    this.#waitedMs += record.waitedMs;
    this.#startMs += record.startMs;
    this.#durationMs += record.durationMs;
    this.#billedMs += record.billedMs;
    this.#billedByteMs += record.billedMs * record.memoryBytes;
    this.#cpuMs += record.cpuMs;
    this.#latency.addToBucket(bucketOf(record.waitedMs + record.durationMs), 1);
    this.#duration.addToBucket(durationBucket, 1);
  }

  /** Takes over what `other` has counted. */
  absorb(other: MinuteCell): void {
    this.touchedMs = Math.max(this.touchedMs, other.touchedMs);
    this.keptRows += other.keptRows;
    this.#count += other.#count;
    this.#cold += other.#cold;
    this.#waitedMs += other.#waitedMs;
    this.#startMs += other.#startMs;
    this.#durationMs += other.#durationMs;
    this.#billedMs += other.#billedMs;
    this.#billedByteMs += other.#billedByteMs;
    this.#cpuMs += other.#cpuMs;
    this.#latency.merge(other.#latency);
    this.#duration.merge(other.#duration);
  }

  /** Its state so far, as it is stored. */
  snapshot(): UsageMinute {
    return {
      part: this.part,
      component: this.key.component,
      revision: this.key.revision,
      mode: this.key.mode,
      outcome: this.key.outcome,
      minuteMs: this.key.minuteMs,
      spanMs: this.key.spanMs,
      count: this.#count,
      cold: this.#cold,
      waitedMs: this.#waitedMs,
      startMs: this.#startMs,
      durationMs: this.#durationMs,
      billedMs: this.#billedMs,
      billedByteMs: this.#billedByteMs,
      cpuMs: this.#cpuMs,
      latency: this.#latency.encode(),
      duration: this.#duration.encode(),
    };
  }
}

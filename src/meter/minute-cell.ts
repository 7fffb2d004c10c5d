import type { UsageMinute } from '../model/usage-store.ts';
import type { UsageRecord } from '../model/usage.ts';
import type { Cell, CellKey } from './cell-book.ts';
import { bucketOf, Sketch } from './sketch.ts';

/** Invocations of one component, minute, outcome, mode and revision. */
export class MinuteCell implements Cell<MinuteCell, UsageMinute> {
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
  #wholeMs = 0;
  #wholeByteMs = 0;
  #hundredsMs = 0;
  #internal = 0;
  #bytesIn = 0;
  #bytesOut = 0;
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
    if (record.outcome !== 'refused') this.#addExecuted(record);
    if (record.trigger === 'call') this.#internal++;
    this.#bytesIn += record.bytesIn;
    this.#bytesOut += record.bytesOut;
    this.#cpuMs += record.cpuMs;
    this.#latency.addToBucket(bucketOf(record.waitedMs + record.durationMs), 1);
    this.#duration.addToBucket(durationBucket, 1);
  }

  /** What it would be billed as a function, in whatever mode it ran: that depends on each alone, and cannot be had from sums. */
  #addExecuted(record: UsageRecord): void {
    const executedMs = record.startMs + record.durationMs;
    const wholeMs = Math.ceil(executedMs);
    this.#wholeMs += wholeMs;
    this.#wholeByteMs += wholeMs * record.memoryBytes;
    this.#hundredsMs += Math.ceil(executedMs / 100) * 100;
  }

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
    this.#wholeMs += other.#wholeMs;
    this.#wholeByteMs += other.#wholeByteMs;
    this.#hundredsMs += other.#hundredsMs;
    this.#internal += other.#internal;
    this.#bytesIn += other.#bytesIn;
    this.#bytesOut += other.#bytesOut;
    this.#cpuMs += other.#cpuMs;
    this.#latency.merge(other.#latency);
    this.#duration.merge(other.#duration);
  }

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
      wholeMs: this.#wholeMs,
      wholeByteMs: this.#wholeByteMs,
      hundredsMs: this.#hundredsMs,
      internal: this.#internal,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      cpuMs: this.#cpuMs,
      latency: this.#latency.encode(),
      duration: this.#duration.encode(),
    };
  }
}

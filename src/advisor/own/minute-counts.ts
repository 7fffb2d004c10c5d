import { Sketch } from '../../meter/sketch.ts';
import type { MinuteLine } from '../../model/usage-export.ts';

const HOUR_MS = 3_600_000;

/** What one component's minutes say of its arrivals, whatever mode, outcome and revision they were of. */
export interface CountedSpan {
  readonly fromMs: number;
  /** 60,000; longer where minutes had to be folded. */
  readonly lengthMs: number;
  /** Arrivals, those that were refused among them. */
  count: number;
  /** Of those: refused, and so without a duration that says anything. */
  refused: number;
  /** Of the others, summed. */
  durationMs: number;
  cpuMs: number;
}

/** Counts by minute of one component, and how long its invocations took by the hour. */
export class MinuteCounts {
  /** By length, then by beginning. */
  readonly #spans = new Map<number, Map<number, CountedSpan>>();
  readonly #hours = new Map<number, Sketch>();
  #all: Sketch | null = null;
  #count = 0;
  #executed = 0;
  #durationMs = 0;
  #cpuMs = 0;

  /** Arrivals. */
  get count(): number {
    return this.#count;
  }

  /** Of one that was executed; 0 where none was. */
  get meanMs(): number {
    return this.#executed === 0 ? 0 : this.#durationMs / this.#executed;
  }

  /** How much of a duration was CPU time, 0 to 1. */
  get cpuShare(): number {
    return shareOf(this.#cpuMs, this.#durationMs);
  }

  /** The shorter first: what a longer one has beyond those within it is known only by itself. */
  get spans(): CountedSpan[] {
    return [...this.#spans.values()]
      .flatMap((spans) => [...spans.values()])
      .sort((a, b) => a.lengthMs - b.lengthMs || a.fromMs - b.fromMs);
  }

  /** Throws `store-failed` where its sketch is damaged. */
  add(line: Omit<MinuteLine, 'kind'>): void {
    // First what may be damaged: half a minute must not be counted.
    const { duration } = line;
    if (line.outcome !== 'refused') this.#hourOf(line.minuteMs).mergeEncoded(Buffer.from(duration, 'base64'));
    const span = this.#spanOf(line.minuteMs, line.spanMs);
    span.count += line.count;
    this.#count += line.count;
    if (line.outcome === 'refused') {
      span.refused += line.count;
      return;
    }
    this.#all = null;
    span.durationMs += line.durationMs;
    span.cpuMs += line.cpuMs;
    this.#executed += line.count;
    this.#durationMs += line.durationMs;
    this.#cpuMs += line.cpuMs;
  }

  /** How long invocations of that hour took; where it knows none, those of all hours. */
  durationsAt(atMs: number): Sketch {
    const hour = this.#hours.get(Math.floor(atMs / HOUR_MS));
    return hour === undefined || hour.count === 0 ? this.#allHours() : hour;
  }

  #spanOf(fromMs: number, lengthMs: number): CountedSpan {
    let spans = this.#spans.get(lengthMs);
    if (spans === undefined) this.#spans.set(lengthMs, (spans = new Map()));
    let span = spans.get(fromMs);
    if (span === undefined) {
      span = { fromMs, lengthMs, count: 0, refused: 0, durationMs: 0, cpuMs: 0 };
      spans.set(fromMs, span);
    }
    return span;
  }

  #allHours(): Sketch {
    if (this.#all !== null) return this.#all;
    this.#all = new Sketch();
    for (const hour of this.#hours.values()) this.#all.merge(hour);
    return this.#all;
  }

  #hourOf(atMs: number): Sketch {
    const hour = Math.floor(atMs / HOUR_MS);
    let sketch = this.#hours.get(hour);
    if (sketch === undefined) this.#hours.set(hour, (sketch = new Sketch()));
    return sketch;
  }
}

/** Threads may have used more than one processor; a replay knows one for each invocation. */
export function shareOf(cpuMs: number, durationMs: number): number {
  return durationMs > 0 ? Math.min(1, cpuMs / durationMs) : 0;
}

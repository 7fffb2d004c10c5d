import type { Mode } from '../model/app.ts';
import type { InstancesLine, MinuteLine } from '../model/usage-export.ts';
import type { InstancesUsed, MinuteLoad, Used } from '../model/used.ts';
import { bucketOf, lowerBorderOf, middleOf, Sketch } from './sketch.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

type Counted = Omit<MinuteLine, 'kind'>;
type Instances = Omit<InstancesLine, 'kind'>;

/** A stretch of time, in ms since the epoch: from the one moment, and before the other. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * What one component used, by the modes that it ran in and the days (UTC) on which it did anything, out of what was counted by the minute. Takes
 * one line at a time in any order, and keeps sums: what was given need not be kept.
 */
export class UsedDays {
  readonly #component: string;
  readonly #days = new Map<string, Day>();
  #firstMs = Infinity;

  constructor(component: string) {
    this.#component = component;
  }

  /** A minute of the component, of whichever outcome and revision. Throws `store-failed` where its sketch cannot be read. */
  minute(line: Counted): void {
    this.#dayOf(line.mode, line).minute(line);
  }

  /** A minute of its instances, or of its group's: then `share`, from 0 to 1, is the part of them that is told of it. */
  instances(line: Instances, share = 1): void {
    this.#dayOf(line.mode, line).instances(line, share);
  }

  /**
   * By day, of one day the function first. A service's stretch is that of the minutes in which anything of it was seen as a service, as its
   * replicas are always there; a function's is the day from when the component was first seen, as it is there without instances.
   */
  days(fromMs: number, toMs: number): Used[] {
    return [...this.#days.values()]
      .toSorted((a, b) => a.startMs - b.startMs || a.mode.localeCompare(b.mode))
      .map((day) => {
        const seen = day.mode === 'service' ? day.seen : { fromMs: this.#firstMs, toMs: Infinity };
        const from = Math.max(fromMs, day.startMs, seen.fromMs);
        const to = Math.min(toMs, day.startMs + DAY_MS, seen.toMs);
        return day.used(this.#component, { fromMs: from, toMs: Math.max(from, to) });
      });
  }

  #dayOf(mode: Mode, { minuteMs }: { readonly minuteMs: number }): Day {
    const startMs = Math.floor(minuteMs / DAY_MS) * DAY_MS;
    this.#firstMs = Math.min(this.#firstMs, minuteMs);
    const key = `${mode} ${startMs}`;
    let day = this.#days.get(key);
    if (day === undefined) this.#days.set(key, (day = new Day(mode, startMs)));
    return day;
  }
}

/**
 * All of several stretches of one component in one mode, as the one stretch that is given: what bills of a month are made of. `used` is not
 * empty. Seen durations and loads are put together; exact steps of 100 ms are, where all of it was counted so.
 */
export function mergedUsed(used: readonly Used[], { fromMs, toMs }: Stretch): Used {
  const sum = (of: (one: Used) => number): number => used.reduce((total, one) => total + of(one), 0);
  const sumOrNull = (of: (one: Used) => number | null): number | null =>
    used.some((one) => of(one) === null) ? null : sum((one) => of(one)!);
  const counted = used.filter(({ executed }) => executed > 0);
  const durations = new Map<number, number>();
  for (const one of used)
    for (const [ms, count] of one.durations) durations.set(ms, (durations.get(ms) ?? 0) + count);
  return {
    component: used[0]!.component,
    mode: used[0]!.mode,
    fromMs,
    toMs,
    executed: sum((one) => one.executed),
    internal: sum((one) => one.internal),
    refused: sum((one) => one.refused),
    cold: sum((one) => one.cold),
    wholeMs: sum((one) => one.wholeMs),
    hundredsMs: counted.some((one) => one.hundredsMs === null) ? null : sum((one) => one.hundredsMs ?? 0),
    startMs: sum((one) => one.startMs),
    byteMs: sum((one) => one.byteMs),
    cpuMs: sum((one) => one.cpuMs),
    bytesIn: sum((one) => one.bytesIn),
    bytesOut: sum((one) => one.bytesOut),
    durations: [...durations].toSorted(([a], [b]) => a - b),
    instances: {
      started: sum((one) => one.instances.started),
      livedMs: sum((one) => one.instances.livedMs),
      heldByteMs: sum((one) => one.instances.heldByteMs),
      usedByteMs: sumOrNull((one) => (one.instances.livedMs === 0 ? 0 : one.instances.usedByteMs)),
      cpuMs: sum((one) => one.instances.cpuMs),
    },
    load: joinedLoad(used),
  };
}

function joinedLoad(used: readonly Used[]): MinuteLoad[] {
  const byMinute = new Map<number, MinuteLoad>();
  for (const minute of used.flatMap(({ load }) => load)) {
    const known = byMinute.get(minute.minuteMs);
    byMinute.set(minute.minuteMs, known === undefined ? minute : addedLoad(known, minute));
  }
  return [...byMinute.values()].toSorted((a, b) => a.minuteMs - b.minuteMs);
}

function addedLoad(a: MinuteLoad, b: MinuteLoad): MinuteLoad {
  return {
    minuteMs: a.minuteMs,
    executed: a.executed + b.executed,
    workMs: a.workMs + b.workMs,
    cpuMs: a.cpuMs + b.cpuMs,
    // Parts of a minute have their peaks at other moments: what is known for certain is the larger.
    busiest: a.busiest === null || b.busiest === null ? null : Math.max(a.busiest, b.busiest),
  };
}

interface GrowingLoad {
  executed: number;
  workMs: number;
  cpuMs: number;
}

/** One mode on one day, while it grows. */
class Day {
  readonly mode: Mode;
  readonly startMs: number;
  #seenFromMs = Infinity;
  #seenToMs = -Infinity;
  #executed = 0;
  #internal = 0;
  #refused = 0;
  #cold = 0;
  #wholeMs = 0;
  #hundredsMs: number | null = 0;
  #startsMs = 0;
  #byteMs = 0;
  #cpuMs = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  readonly #durations = new Map<number, number>();
  readonly #load = new Map<number, GrowingLoad>();
  #started = 0;
  #livedMs = 0;
  #heldByteMs = 0;
  #watchedMs = 0;
  #watchedByteMs = 0;
  #instancesCpuMs = 0;

  constructor(mode: Mode, startMs: number) {
    this.mode = mode;
    this.startMs = startMs;
  }

  /** From the first minute in which there was anything to the end of the last. */
  get seen(): Stretch {
    return { fromMs: this.#seenFromMs, toMs: this.#seenToMs };
  }

  minute(line: Counted): void {
    this.#see(line);
    this.#bytesIn += line.bytesIn;
    this.#bytesOut += line.bytesOut;
    if (line.outcome === 'refused') {
      this.#refused += line.count;
      return;
    }
    const executed = this.#addDurations(line);
    this.#executed += executed;
    this.#refused += line.count - executed;
    this.#internal += Math.min(line.internal, executed);
    this.#cold += line.cold;
    this.#wholeMs += line.wholeMs;
    if (line.hundredsMs === null || this.#hundredsMs === null) this.#hundredsMs = null;
    else this.#hundredsMs += line.hundredsMs;
    this.#startsMs += line.startMs;
    this.#byteMs += line.wholeByteMs;
    this.#cpuMs += line.cpuMs;
    this.#addLoad(line, executed);
  }

  instances(line: Instances, share: number): void {
    this.#see(line);
    this.#started += line.started * share;
    this.#livedMs += line.livedMs * share;
    this.#heldByteMs += line.heldByteMs * share;
    this.#watchedMs += line.watchedMs * share;
    this.#watchedByteMs += line.usedByteMs * share;
    this.#instancesCpuMs += line.cpuMs * share;
  }

  used(component: string, { fromMs, toMs }: Stretch): Used {
    return {
      component,
      mode: this.mode,
      fromMs,
      toMs,
      executed: this.#executed,
      internal: this.#internal,
      refused: this.#refused,
      cold: this.#cold,
      wholeMs: this.#wholeMs,
      hundredsMs: this.#hundredsMs,
      startMs: this.#startsMs,
      byteMs: this.#byteMs,
      cpuMs: this.#cpuMs,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      durations: [...this.#durations]
        .toSorted(([a], [b]) => a - b)
        .map(([bucket, count]): readonly [number, number] => [lowerBorderOf(bucket), count]),
      instances: this.#instances(),
      load: [...this.#load]
        .toSorted(([a], [b]) => a - b)
        .map(([minuteMs, load]): MinuteLoad => ({ minuteMs, ...load, busiest: null })),
    };
  }

  #instances(): InstancesUsed {
    const [watchedMs, livedMs] = [this.#watchedMs, this.#livedMs];
    return {
      started: this.#started,
      livedMs,
      heldByteMs: this.#heldByteMs,
      // While nobody looked they had what they have on average.
      usedByteMs: watchedMs === 0 ? null : (this.#watchedByteMs / watchedMs) * livedMs,
      cpuMs: this.#instancesCpuMs,
    };
  }

  #see({ minuteMs, spanMs }: { readonly minuteMs: number; readonly spanMs: number }): void {
    this.#seenFromMs = Math.min(this.#seenFromMs, minuteMs);
    this.#seenToMs = Math.max(this.#seenToMs, minuteMs + spanMs);
  }

  /**
   * What is stored is durations without starts. Which of them were cold is not known: each as much as any other, with the mean start.
   * Returns how many were executed: who gave up while they waited never had an instance, and took no time of one at all.
   */
  #addDurations({ duration, outcome, count, cold, startMs }: Counted): number {
    const givenUp = outcome === 'cancelled' || outcome === 'timeout';
    const coldShare = count === 0 ? 0 : Math.min(1, cold / count);
    const meanStartMs = cold === 0 ? 0 : startMs / cold;
    let executed = count;
    Sketch.decode(Buffer.from(duration, 'base64')).forEachBucket((bucket, times) => {
      if (givenUp && bucket === 0) {
        executed -= times;
        return;
      }
      this.#addDuration(bucket, times * (1 - coldShare));
      if (coldShare > 0) this.#addDuration(bucketOf(middleOf(bucket) + meanStartMs), times * coldShare);
    });
    return Math.max(0, executed);
  }

  #addDuration(bucket: number, times: number): void {
    if (times > 0) this.#durations.set(bucket, (this.#durations.get(bucket) ?? 0) + times);
  }

  /** What had to be folded into an hour or a day is spread over its minutes. */
  #addLoad({ minuteMs, spanMs, startMs, durationMs, cpuMs }: Counted, executed: number): void {
    if (executed === 0) return;
    const minutes = Math.max(1, Math.round(spanMs / MINUTE_MS));
    for (let i = 0; i < minutes; i++) {
      const at = minuteMs + i * MINUTE_MS;
      let load = this.#load.get(at);
      if (load === undefined) this.#load.set(at, (load = { executed: 0, workMs: 0, cpuMs: 0 }));
      load.executed += executed / minutes;
      load.workMs += (startMs + durationMs) / minutes;
      load.cpuMs += cpuMs / minutes;
    }
  }
}

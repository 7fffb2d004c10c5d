import type { TrafficSummary } from '../model/status.ts';
import type { UsageRecord } from '../model/usage.ts';
import { Sketch } from './sketch.ts';

const SLOT_MS = 5_000;
const SLOTS = 12;

interface Slot {
  /** Which stretch of monotonic time it holds, counted in slots; older ones are stale. */
  number: number;
  count: number;
  failed: number;
  cold: number;
  billedMs: number;
  cpuMs: number;
  readonly durations: Sketch;
}

/** What one component did in the last minute, by when invocations ended: a ring of twelve slots of five seconds. */
export class RecentTraffic {
  readonly #slots: readonly Slot[] = Array.from({ length: SLOTS }, () => emptySlot());
  #lastMs = -Infinity;

  /** Monotonic time of the last record. */
  get lastMs(): number {
    return this.#lastMs;
  }

  /** @param nowMs monotonic. */
  add(record: UsageRecord, durationBucket: number, nowMs: number): void {
    const slot = this.#slotAt(Math.floor(nowMs / SLOT_MS));
    slot.count++;
    if (isFailure(record)) slot.failed++;
    if (record.cold) slot.cold++;
    slot.billedMs += record.billedMs;
    slot.cpuMs += record.cpuMs;
    // What never had a slot has no duration.
    if (record.outcome !== 'refused') slot.durations.addToBucket(durationBucket, 1);
    this.#lastMs = nowMs;
  }

  /** @param nowMs monotonic. */
  summary(nowMs: number): TrafficSummary {
    const oldest = Math.floor(nowMs / SLOT_MS) - SLOTS + 1;
    const total = { count: 0, failed: 0, cold: 0, billedMs: 0, cpuMs: 0 };
    const durations = new Sketch();
    for (const slot of this.#slots) {
      if (slot.number < oldest) continue;
      total.count += slot.count;
      total.failed += slot.failed;
      total.cold += slot.cold;
      total.billedMs += slot.billedMs;
      total.cpuMs += slot.cpuMs;
      durations.merge(slot.durations);
    }
    return { ...total, p50Ms: durations.quantile(0.5), p99Ms: durations.quantile(0.99) };
  }

  #slotAt(number: number): Slot {
    const slot = this.#slots[number % SLOTS]!;
    if (slot.number !== number) {
      slot.number = number;
      slot.count = slot.failed = slot.cold = slot.billedMs = slot.cpuMs = 0;
      slot.durations.clear();
    }
    return slot;
  }
}

/** A caller who went away is no failure of the component. */
function isFailure(record: UsageRecord): boolean {
  return record.outcome !== 'ok' && record.outcome !== 'cancelled';
}

function emptySlot(): Slot {
  return { number: -1, count: 0, failed: 0, cold: 0, billedMs: 0, cpuMs: 0, durations: new Sketch() };
}

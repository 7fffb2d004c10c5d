import type { Clock } from '../base/clock.ts';
import type { UsageRecord } from '../model/usage.ts';

/** ECMA-262: the last moment a Date can hold. */
export const LATEST_MS = 8.64e15;
const LONGEST_ID = 200;

/**
 * `record` itself, or a copy with what cannot be counted put right: no number becomes 0, an impossible arrival becomes now. One
 * NaN would otherwise spoil a whole minute's sums, and one request id from outside may be kilobytes long.
 */
export function saneRecord(record: UsageRecord, clock: Clock): UsageRecord {
  if (
    isAmount(record.waitedMs) &&
    isAmount(record.startMs) &&
    isAmount(record.durationMs) &&
    isAmount(record.billedMs) &&
    isAmount(record.cpuMs) &&
    isAmount(record.memoryBytes) &&
    isAmount(record.bytesIn) &&
    isAmount(record.bytesOut) &&
    isAmount(record.status) &&
    Number.isInteger(record.status) &&
    isAmount(record.arrivedAtMs) &&
    record.arrivedAtMs <= LATEST_MS &&
    record.requestId.length <= LONGEST_ID
  ) {
    return record;
  }
  return {
    ...record,
    requestId: record.requestId.slice(0, LONGEST_ID),
    arrivedAtMs:
      isAmount(record.arrivedAtMs) && record.arrivedAtMs <= LATEST_MS ? record.arrivedAtMs : clock.nowMs(),
    waitedMs: amount(record.waitedMs),
    startMs: amount(record.startMs),
    durationMs: amount(record.durationMs),
    billedMs: amount(record.billedMs),
    cpuMs: amount(record.cpuMs),
    memoryBytes: amount(record.memoryBytes),
    bytesIn: amount(record.bytesIn),
    bytesOut: amount(record.bytesOut),
    status: Math.floor(amount(record.status)),
  };
}

function isAmount(value: number): boolean {
  return value >= 0 && value < Infinity;
}

/** What is no number that can be counted is 0. */
export function amount(value: number): number {
  return isAmount(value) ? value : 0;
}

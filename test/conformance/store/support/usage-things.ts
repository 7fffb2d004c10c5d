import type { ArrivalBlock, UsageMinute, UsageRow } from '../../../../src/model/usage-store.ts';
import { NOON_MS, usageRecord } from '../../usage-record.ts';

const MINUTE_MS = 60_000;

export function minute(fields: Partial<UsageMinute> = {}): UsageMinute {
  return {
    part: 'p',
    component: 'catalog',
    revision: 'r1',
    mode: 'function',
    outcome: 'ok',
    minuteMs: NOON_MS,
    spanMs: MINUTE_MS,
    count: 3,
    cold: 1,
    waitedMs: 1.5,
    startMs: 1,
    durationMs: 4.25,
    billedMs: 6,
    billedByteMs: 6e8,
    wholeMs: 7,
    wholeByteMs: 7e8,
    hundredsMs: 300,
    internal: 2,
    bytesIn: 1_000,
    bytesOut: 2e15,
    cpuMs: 2.5,
    latency: Uint8Array.from([1, 2, 3]),
    duration: Uint8Array.from([1]),
    ...fields,
  };
}

export function block(fields: Partial<ArrivalBlock> = {}): ArrivalBlock {
  return {
    part: 'p',
    component: 'catalog',
    mode: 'service',
    firstMs: NOON_MS,
    lastMs: NOON_MS,
    count: 1,
    bytes: Uint8Array.from([1, 5, 5]),
    ...fields,
  };
}

export function row(fields: Partial<UsageRow> = {}): UsageRow {
  return { ...usageRecord({ cold: true, outcome: 'timeout', waitedMs: 0.5 }), part: 'p', ...fields };
}

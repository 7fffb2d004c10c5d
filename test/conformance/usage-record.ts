import type { UsageBatch } from '../../src/model/usage-store.ts';
import type { UsageRecord } from '../../src/model/usage.ts';

/** 2026-01-01T12:00:00Z, the start of a minute. */
export const NOON_MS = Date.UTC(2026, 0, 1, 12);

/** An unremarkable record, but for `fields`. */
export function usageRecord(fields: Partial<UsageRecord> = {}): UsageRecord {
  return {
    component: 'catalog',
    revision: 'r1',
    mode: 'function',
    trigger: 'route',
    outcome: 'ok',
    requestId: 'r_1',
    status: 200,
    arrivedAtMs: NOON_MS,
    waitedMs: 0,
    startMs: 0,
    durationMs: 1,
    billedMs: 1,
    cpuMs: 1,
    cold: false,
    memoryBytes: 1,
    bytesIn: 0,
    bytesOut: 0,
    ...fields,
  };
}

/** Of the app `shop`, and empty, but for `fields`. */
export function usageBatch(fields: Partial<UsageBatch> = {}): UsageBatch {
  return {
    app: 'shop',
    minutes: [],
    arrivals: [],
    rows: [],
    instances: [],
    joinedCalls: [],
    writer: null,
    ...fields,
  };
}

import type {
  ArrivalBlock,
  InstanceMinute,
  JoinedCalls,
  UsageMinute,
  UsageRow,
} from '../../model/usage-store.ts';

// What is inserted, in the order of the tables' columns.

/** What a block takes beside its bytes, about: its other columns, twice for the index. */
const OVERHEAD_BYTES = 160;

export function minuteValues(app: string, minute: UsageMinute): unknown[] {
  return [
    app,
    minute.component,
    minute.minuteMs,
    minute.part,
    minute.spanMs,
    minute.revision,
    minute.mode,
    minute.outcome,
    minute.count,
    minute.cold,
    minute.waitedMs,
    minute.startMs,
    minute.durationMs,
    minute.billedMs,
    minute.billedByteMs,
    minute.cpuMs,
    minute.latency,
    minute.duration,
    minute.wholeMs,
    minute.wholeByteMs,
    minute.hundredsMs,
    minute.internal,
    minute.bytesIn,
    minute.bytesOut,
  ];
}

export function arrivalValues(app: string, block: ArrivalBlock): unknown[] {
  return [
    block.part,
    app,
    block.component,
    block.mode,
    block.firstMs,
    block.lastMs,
    block.count,
    block.bytes.length + OVERHEAD_BYTES,
    block.bytes,
  ];
}

export function rowValues(app: string, row: UsageRow): unknown[] {
  return [
    app,
    row.component,
    row.arrivedAtMs,
    row.part,
    row.revision,
    row.mode,
    row.trigger,
    row.outcome,
    row.requestId,
    row.status,
    row.waitedMs,
    row.startMs,
    row.durationMs,
    row.billedMs,
    row.cpuMs,
    row.cold ? 1 : 0,
    row.memoryBytes,
    row.bytesIn,
    row.bytesOut,
  ];
}

export function instanceValues(app: string, minute: InstanceMinute): unknown[] {
  return [
    app,
    minute.unit,
    minute.minuteMs,
    minute.part,
    minute.spanMs,
    minute.revision,
    minute.mode,
    minute.started,
    minute.livedMs,
    minute.heldByteMs,
    minute.watchedMs,
    minute.usedByteMs,
    minute.cpuMs,
  ];
}

export function callValues(app: string, calls: JoinedCalls): unknown[] {
  return [
    app,
    calls.callee,
    calls.hourMs,
    calls.part,
    calls.caller,
    calls.count,
    calls.failed,
    calls.durationMs,
  ];
}

import type { UsageMinute } from '../model/usage-store.ts';
import type { UsageRecord } from '../model/usage.ts';
import { CellBook, MINUTE_MS, type BookOptions } from './cell-book.ts';
import { MinuteCell } from './minute-cell.ts';

/** Invocations by the minute of their arrival. */
export class MinuteBook extends CellBook<MinuteCell, UsageMinute> {
  constructor(options: BookOptions) {
    super(options, (part, key, touchedMs) => new MinuteCell(part, key, touchedMs));
  }

  /** The cell that counted `record`. @param nowMs monotonic. */
  add(record: UsageRecord, durationBucket: number, nowMs: number): MinuteCell {
    const minuteMs = Math.floor(record.arrivedAtMs / MINUTE_MS) * MINUTE_MS;
    const cell = this.cellOf(record, minuteMs, MINUTE_MS, nowMs);
    cell.add(record, durationBucket);
    return cell;
  }
}

import type { Clock } from '../base/clock.ts';
import type { InstanceMinute } from '../model/usage-store.ts';
import type { InstanceStretch } from '../model/usage.ts';
import { CellBook, DAY_MS, HOUR_MS, MINUTE_MS, type BookOptions } from './cell-book.ts';
import { InstanceCell } from './instance-cell.ts';
import { amount, LATEST_MS } from './sane-record.ts';

/** A stretch is cut into no more pieces than that: where it lasts longer they are of hours, then of days. */
const MAX_PIECES = 400;
const LONGEST_MS = MAX_PIECES * DAY_MS;

/** What instances live, by the minute: a stretch counts in each minute as much as it lies in it. */
export class InstanceBook extends CellBook<InstanceCell, InstanceMinute> {
  readonly #clock: Clock;

  constructor(options: BookOptions, clock: Clock) {
    super(options, (part, key, touchedMs) => new InstanceCell(part, key, touchedMs));
    this.#clock = clock;
  }

  /** Never throws; what is no number counts as 0, and an impossible beginning as now. */
  add(given: InstanceStretch): void {
    const nowMs = this.#clock.monotonicMs();
    const { unit: component, revision, mode, begins } = given;
    const stretch = {
      ...given,
      memoryBytes: amount(given.memoryBytes),
      usedBytes: given.usedBytes === null ? null : amount(given.usedBytes),
    };
    const lastsMs = Math.min(amount(given.lastsMs), LONGEST_MS);
    const cpuMs = amount(given.cpuMs);
    const isPossible = given.fromMs >= 0 && given.fromMs + lastsMs <= LATEST_MS;
    const fromMs = isPossible ? given.fromMs : this.#clock.nowMs();
    const spanMs = [MINUTE_MS, HOUR_MS, DAY_MS].find((span) => lastsMs <= span * (MAX_PIECES - 1)) ?? DAY_MS;
    const key = { component, revision, mode, outcome: 'ok' } as const;
    let doneMs = 0;
    do {
      const atMs = fromMs + doneMs;
      const minuteMs = Math.floor(atMs / spanMs) * spanMs;
      // At least a little of it, or fractions of a millisecond in large numbers might never get to the next minute.
      const pieceMs = Math.min(Math.max(minuteMs + spanMs - atMs, 0.001), lastsMs - doneMs);
      const share = lastsMs > 0 ? pieceMs / lastsMs : 1;
      this.cellOf(key, minuteMs, spanMs, nowMs).add(stretch, pieceMs, cpuMs * share, begins && doneMs === 0);
      doneMs += pieceMs;
    } while (doneMs < lastsMs);
  }
}

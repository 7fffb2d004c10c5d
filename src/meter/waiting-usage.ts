import type { Clock } from '../base/clock.ts';
import type { CallSink } from '../model/calls.ts';
import type { UsageBatch, UsageRow } from '../model/usage-store.ts';
import type { InstanceStretch, UsageRecord } from '../model/usage.ts';
import { ArrivalBook } from './arrival-book.ts';
import { InstanceBook } from './instance-book.ts';
import { JoinedCallBook } from './joined-call-book.ts';
import { MinuteBook } from './minute-book.ts';
import { keepsRow } from './row-choice.ts';

/** What one batch may hold: little enough that encoding it is a short pause of the server, a few milliseconds at most. */
const BATCH_MINUTES = 200;
const BATCH_ARRIVALS = 100;
const BATCH_ROWS = 500;
const BATCH_INSTANCES = 500;
const BATCH_CALLS = 500;
/** Of instances there are few: one cell for each unit, mode and revision a minute. */
const INSTANCES_PER_CELL = 4;

export interface WaitingUsageOptions {
  readonly clock: Clock;
  /** Gives an id that was never given before. */
  readonly nextPart: () => string;
  readonly sampleOneIn: number;
  readonly maxCells: number;
  readonly maxWaitingBytes: number;
  readonly maxWaitingRows: number;
}

/** What a batch is about, without who sends it. */
export type UsageContent = Omit<UsageBatch, 'app' | 'writer'>;

/** All that was counted and is not yet in a batch. What is held is bounded: see the books. */
export class WaitingUsage {
  /** Counts those that stayed within a process. */
  readonly joinedCalls: CallSink;
  readonly #o: WaitingUsageOptions;
  readonly #minutes: MinuteBook;
  readonly #arrivals: ArrivalBook;
  readonly #instances: InstanceBook;
  readonly #joinedCalls: JoinedCallBook;
  #rows: UsageRow[] = [];
  #droppedRows = 0;

  constructor(options: WaitingUsageOptions) {
    const { clock, nextPart, maxCells, maxWaitingBytes } = options;
    this.#o = options;
    this.#minutes = new MinuteBook({ nextPart, maxCells });
    this.#arrivals = new ArrivalBook({ nextPart, maxWaitingBytes });
    const maxInstances = Math.ceil(maxCells / INSTANCES_PER_CELL);
    this.#instances = new InstanceBook({ nextPart, maxCells: maxInstances }, clock);
    this.#joinedCalls = this.joinedCalls = new JoinedCallBook({ clock, nextPart });
  }

  get droppedRows(): number {
    return this.#droppedRows;
  }

  get droppedArrivals(): number {
    return this.#arrivals.dropped;
  }

  /** How many cells of minutes are held, and how many of them are in no batch; and rows, and cells of instances. */
  get sizes(): Readonly<Record<'cells' | 'minutes' | 'rows' | 'instances', number>> {
    return {
      cells: this.#minutes.size,
      minutes: this.#minutes.waiting,
      rows: this.#rows.length,
      instances: this.#instances.waiting,
    };
  }

  /** @param record that can be counted, @param nowMs monotonic. */
  add(record: UsageRecord, durationBucket: number, nowMs: number): void {
    const cell = this.#minutes.add(record, durationBucket, nowMs);
    this.#arrivals.add(record, nowMs);
    if (!keepsRow(record, cell.keptRows, this.#o.sampleOneIn)) return;
    cell.keptRows++;
    if (this.#rows.length < this.#o.maxWaitingRows) this.#rows.push({ ...record, part: this.#o.nextPart() });
    else this.#droppedRows++;
  }

  addInstance(stretch: InstanceStretch): void {
    this.#instances.add(stretch);
  }

  /** The oldest of it, as much as goes into one batch; null: nothing waits. */
  take(): UsageContent | null {
    const content = {
      minutes: this.#minutes.take(BATCH_MINUTES),
      arrivals: this.#arrivals.take(BATCH_ARRIVALS),
      rows: this.#rows.splice(0, BATCH_ROWS),
      instances: this.#instances.take(BATCH_INSTANCES),
      joinedCalls: this.#joinedCalls.take(BATCH_CALLS),
    };
    return Object.values(content).every((items) => items.length === 0) ? null : content;
  }

  /** Forgets what waits for nothing and has not grown for a while. @param nowMs monotonic. */
  evict(nowMs: number): void {
    this.#minutes.evict(nowMs);
    this.#arrivals.evict(nowMs);
    this.#instances.evict(nowMs);
  }
}

/** Nothing waited that is of no content. */
export const NO_CONTENT: UsageContent = {
  minutes: [],
  arrivals: [],
  rows: [],
  instances: [],
  joinedCalls: [],
};

/** Whether more may wait than it took. */
export function isFull(content: UsageContent): boolean {
  return (
    content.minutes.length >= BATCH_MINUTES ||
    content.arrivals.length >= BATCH_ARRIVALS ||
    content.rows.length >= BATCH_ROWS ||
    content.instances.length >= BATCH_INSTANCES ||
    content.joinedCalls.length >= BATCH_CALLS
  );
}

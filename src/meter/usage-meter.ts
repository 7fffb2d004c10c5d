import { sleep, type Clock, type Timer } from '../base/clock.ts';
import { randomText } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import type { TrafficSummary } from '../model/status.ts';
import type { UsageBatch, UsageRow, UsageStore } from '../model/usage-store.ts';
import type { UsageRecord, UsageSink } from '../model/usage.ts';
import { ArrivalBook } from './arrival-book.ts';
import { MinuteBook } from './minute-book.ts';
import { RecentTraffic } from './recent-traffic.ts';
import { DEFAULT_RETENTION, RetentionRounds, type Retention } from './retention.ts';
import { keepsRow } from './row-choice.ts';
import { saneRecord } from './sane-record.ts';
import { bucketOf } from './sketch.ts';

/** What one batch may hold: little enough that encoding it is a short pause of the server, a few milliseconds at most. */
const BATCH_MINUTES = 200;
const BATCH_ARRIVALS = 100;
const BATCH_ROWS = 500;
const LONGEST_BACKOFF_MS = 60_000;
const SLOW_STORE_MS = 10_000;
const TELL_LOSS_EVERY_MS = 60_000;
const CLOSE_WITHIN_MS = 5_000;
const FORGET_RECENT_MS = 120_000;

export interface UsageMeterOptions {
  /** Id of the app whose usage it is. */
  app: string;
  store: UsageStore;
  clock: Clock;
  logger: Logger;
  /** How often what was recorded is written; 1,000. */
  flushMs?: number;
  /** How many unremarkable records there are to a whole row; 100. */
  sampleOneIn?: number;
  /** Cells of counts that may wait for the store before old minutes are folded into hours; 8,192. */
  maxCells?: number;
  /** Bytes of the arrival log that may wait; 4 MB. */
  maxWaitingBytes?: number;
  /** Whole rows that may wait; 5,000. */
  maxWaitingRows?: number;
  retention?: Retention;
}

/**
 * Counts what happens in one app. `record` touches memory only; a loop writes by batches, one at a time. A batch that fails is kept as it
 * is and sent again, after a pause that doubles up to a minute, until the store takes it. Meanwhile everything held is bounded: counts
 * become coarser in time but are never lost; arrivals and rows beyond their bound are, and the log says how many.
 */
export class UsageMeter implements UsageSink {
  readonly #app: string;
  readonly #store: UsageStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #flushMs: number;
  readonly #sampleOneIn: number;
  readonly #maxWaitingRows: number;
  readonly #minutes: MinuteBook;
  readonly #arrivals: ArrivalBook;
  readonly #retention: RetentionRounds;
  readonly #recent = new Map<string, RecentTraffic>();
  readonly #timer: Timer;
  readonly #writer = randomText(12);
  #parts = 0;
  #rows: UsageRow[] = [];
  #droppedRows = 0;

  /** The batch that the store has not acknowledged: sent, or to be sent again as it is. */
  #pending: UsageBatch | null = null;
  #running: { readonly done: Promise<void>; readonly sinceMs: number; toldSlow: boolean } | null = null;
  #pruning = false;
  #failures = 0;
  #retryAtMs = 0;
  #toldDroppedRows = 0;
  #toldDroppedArrivals = 0;
  #toldAtMs = -Infinity;

  constructor(options: UsageMeterOptions) {
    this.#app = options.app;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#flushMs = options.flushMs ?? 1_000;
    this.#sampleOneIn = options.sampleOneIn ?? 100;
    this.#maxWaitingRows = options.maxWaitingRows ?? 5_000;
    const nextPart = (): string => this.#nextPart();
    this.#minutes = new MinuteBook({ nextPart, maxCells: options.maxCells ?? 8_192 });
    this.#arrivals = new ArrivalBook({ nextPart, maxWaitingBytes: options.maxWaitingBytes ?? 4 * 1024 ** 2 });
    this.#retention = new RetentionRounds(
      options.app,
      options.retention ?? DEFAULT_RETENTION,
      options.store,
      options.clock,
      options.logger,
    );
    this.#timer = this.#clock.every(this.#flushMs, () => this.#tick());
  }

  /** Arrivals and whole rows that were not kept because the store did not take them in time. Counts are never dropped. */
  get dropped(): number {
    return this.#droppedRows + this.#arrivals.dropped;
  }

  /** Counts `record`, in memory and in under a microsecond. Never throws, never waits. */
  record(record: UsageRecord): void {
    const nowMs = this.#clock.monotonicMs();
    const sane = saneRecord(record, this.#clock);
    const durationBucket = bucketOf(sane.durationMs);
    this.#recentOf(sane.component).add(sane, durationBucket, nowMs);
    const cell = this.#minutes.add(sane, durationBucket, nowMs);
    this.#arrivals.add(sane, nowMs);
    if (!keepsRow(sane, cell.keptRows, this.#sampleOneIn)) return;
    cell.keptRows++;
    if (this.#rows.length < this.#maxWaitingRows) this.#rows.push({ ...sane, part: this.#nextPart() });
    else this.#droppedRows++;
  }

  /** What ended within the last minute. */
  lastMinute(component: string): TrafficSummary {
    const recent = this.#recent.get(component) ?? new RecentTraffic();
    return recent.summary(this.#clock.monotonicMs());
  }

  /** Writes what was recorded until now, without waiting for a pause after a failure. Rejects with `store-failed`. */
  async flush(): Promise<void> {
    while (this.#running !== null) await this.#running.done.catch(() => undefined);
    await this.#run();
  }

  /** Writes what is left, for 5 s at most, and ends the loop; the store stays open. Never rejects; what is lost is told in the log. */
  async close(): Promise<void> {
    this.#timer.cancel();
    const inTime = new AbortController();
    const late = sleep(this.#clock, CLOSE_WITHIN_MS, inTime.signal).then(() => {
      throw new Error(`The store did not answer within ${CLOSE_WITHIN_MS} ms.`);
    });
    try {
      await Promise.race([this.flush(), late]);
    } catch (error) {
      this.#logger.error(
        { err: error, minutes: this.#minutes.waiting, rows: this.#rows.length },
        'The last usage could not be written and is lost.',
      );
    } finally {
      late.catch(() => undefined);
      inTime.abort();
      this.#tellLoss();
    }
  }

  #tick(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#minutes.evict(nowMs);
    this.#arrivals.evict(nowMs);
    for (const [component, recent] of this.#recent) {
      if (nowMs - recent.lastMs > FORGET_RECENT_MS) this.#recent.delete(component);
    }
    if (nowMs - this.#toldAtMs >= TELL_LOSS_EVERY_MS) this.#tellLoss();
    if (this.#running !== null) this.#tellSlow(nowMs);
    else if (nowMs >= this.#retryAtMs) void this.#run().catch(() => undefined);
    if (!this.#pruning) void this.#prune();
  }

  #run(): Promise<void> {
    const done = this.#drain().finally(() => {
      this.#running = null;
    });
    this.#running = { done, sinceMs: this.#clock.monotonicMs(), toldSlow: false };
    return done;
  }

  /** Sends batches until one is not full: what comes in meanwhile is for the next time, or this would never end under load. */
  async #drain(): Promise<void> {
    for (;;) {
      const again = this.#pending !== null;
      const batch = (this.#pending ??= this.#takeBatch());
      if (batch === null) return;
      try {
        await this.#store.append(batch);
      } catch (error) {
        this.#failed(error);
        throw error;
      }
      this.#pending = null;
      this.#succeeded();
      if (!again && !isFull(batch)) return;
    }
  }

  #takeBatch(): UsageBatch | null {
    const minutes = this.#minutes.take(BATCH_MINUTES);
    const arrivals = this.#arrivals.take(BATCH_ARRIVALS);
    const rows = this.#rows.splice(0, BATCH_ROWS);
    if (minutes.length + arrivals.length + rows.length === 0) return null;
    return { app: this.#app, minutes, arrivals, rows };
  }

  #failed(error: unknown): void {
    this.#failures++;
    const waitMs = Math.min(this.#flushMs * 2 ** Math.min(this.#failures, 20), LONGEST_BACKOFF_MS);
    this.#retryAtMs = this.#clock.monotonicMs() + waitMs;
    this.#logger.warn(
      { err: error, failures: this.#failures, retryInMs: waitMs, cells: this.#minutes.size },
      'Usage could not be written; it is kept in memory and sent again.',
    );
  }

  #succeeded(): void {
    if (this.#failures === 0) return;
    this.#logger.info({ failures: this.#failures }, 'Usage is being written again.');
    this.#failures = 0;
    this.#retryAtMs = 0;
  }

  #tellSlow(nowMs: number): void {
    if (this.#running === null || this.#running.toldSlow) return;
    const forMs = Math.round(nowMs - this.#running.sinceMs);
    if (forMs < SLOW_STORE_MS) return;
    this.#running.toldSlow = true;
    this.#logger.warn({ forMs }, 'The store has been writing usage for long; requests do not wait for it.');
  }

  #tellLoss(): void {
    const rows = this.#droppedRows - this.#toldDroppedRows;
    const arrivals = this.#arrivals.dropped - this.#toldDroppedArrivals;
    if (rows + arrivals === 0) return;
    this.#toldDroppedRows += rows;
    this.#toldDroppedArrivals += arrivals;
    this.#toldAtMs = this.#clock.monotonicMs();
    this.#logger.warn(
      { rows, arrivals },
      'The store was too slow for details of usage, which were dropped; all counts are kept.',
    );
  }

  async #prune(): Promise<void> {
    this.#pruning = true;
    await this.#retention.step();
    this.#pruning = false;
  }

  #recentOf(component: string): RecentTraffic {
    let recent = this.#recent.get(component);
    if (recent === undefined) this.#recent.set(component, (recent = new RecentTraffic()));
    return recent;
  }

  #nextPart(): string {
    return `${this.#writer}.${(this.#parts++).toString(36)}`;
  }
}

function isFull(batch: UsageBatch): boolean {
  return (
    batch.minutes.length >= BATCH_MINUTES ||
    batch.arrivals.length >= BATCH_ARRIVALS ||
    batch.rows.length >= BATCH_ROWS
  );
}

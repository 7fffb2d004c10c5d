import { sleep, type Clock, type Timer } from '../base/clock.ts';
import { randomText } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import type { CallSink } from '../model/calls.ts';
import type { TrafficSummary } from '../model/status.ts';
import type { UsageBatch, UsageStore } from '../model/usage-store.ts';
import type { InstanceSink, UsageRecord, UsageSink } from '../model/usage.ts';
import { BEAT_MS, LostWriters } from './lost-writers.ts';
import { RecentTraffic } from './recent-traffic.ts';
import { DEFAULT_RETENTION, RetentionRounds, type Retention } from './retention.ts';
import { saneRecord } from './sane-record.ts';
import { bucketOf } from './sketch.ts';
import { isFull, NO_CONTENT, WaitingUsage } from './waiting-usage.ts';

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
  /** Names the process that it runs in, for all time. */
  node?: string;
  /** Whether the process of that name has certainly ended; false where nobody can tell. */
  hasEnded?: (node: string) => boolean;
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
 *
 * With each batch, and at least every ten seconds, it says that it lives, until it is closed. What one that ended without a word may have
 * lost is written down by the next that looks: see {@link LostWriters}.
 */
export class UsageMeter implements UsageSink {
  /** Takes what the app's instances live. */
  readonly instances: InstanceSink;
  /** Counts those calls that stayed within a process. */
  readonly joinedCalls: CallSink;
  readonly #app: string;
  readonly #store: UsageStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #flushMs: number;
  readonly #node: string;
  readonly #waiting: WaitingUsage;
  readonly #retention: RetentionRounds;
  readonly #lost: LostWriters;
  readonly #recent = new Map<string, RecentTraffic>();
  readonly #timers: readonly Timer[];
  readonly #writer = randomText(12);
  readonly #sinceMs: number;
  #parts = 0;

  /** The batch that the store has not acknowledged: sent, or to be sent again as it is. */
  #pending: UsageBatch | null = null;
  #running: { readonly done: Promise<void>; readonly sinceMs: number; toldSlow: boolean } | null = null;
  #pruning = false;
  #failures = 0;
  #retryAtMs = 0;
  /** Monotonic: when it has to say next that it lives. */
  #beatAtMs = -Infinity;
  #wroteMs: number;
  /** The last batch was full: what came before it may not be written. */
  #isBehind = false;
  #closing = false;
  #toldDroppedRows = 0;
  #toldDroppedArrivals = 0;
  #toldAtMs = -Infinity;

  constructor(options: UsageMeterOptions) {
    const { app, store, clock, logger } = options;
    this.#app = app;
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
    this.#flushMs = options.flushMs ?? 1_000;
    this.#node = options.node ?? '';
    this.#wroteMs = this.#sinceMs = clock.nowMs();
    const waiting = (this.#waiting = new WaitingUsage({
      clock,
      nextPart: () => this.#nextPart(),
      sampleOneIn: options.sampleOneIn ?? 100,
      maxCells: options.maxCells ?? 8_192,
      maxWaitingBytes: options.maxWaitingBytes ?? 4 * 1024 ** 2,
      maxWaitingRows: options.maxWaitingRows ?? 5_000,
    }));
    this.instances = { record: (stretch) => waiting.addInstance(stretch) };
    this.joinedCalls = waiting.joinedCalls;
    const hasEnded = options.hasEnded ?? (() => false);
    this.#lost = new LostWriters({ app, self: this.#writer, store, clock, logger, hasEnded });
    this.#retention = new RetentionRounds(app, options.retention ?? DEFAULT_RETENTION, store, clock, logger);
    // The first at once: what is lost before anybody knows of this writer, nobody would be told of.
    this.#timers = [clock.after(0, () => this.#tick()), clock.every(this.#flushMs, () => this.#tick())];
  }

  /** Arrivals and whole rows that were not kept because the store did not take them in time. Counts are never dropped. */
  get dropped(): number {
    return this.#waiting.droppedRows + this.#waiting.droppedArrivals;
  }

  /** Counts `record`, in memory and in under a microsecond. Never throws, never waits. */
  record(record: UsageRecord): void {
    const nowMs = this.#clock.monotonicMs();
    const sane = saneRecord(record, this.#clock);
    const durationBucket = bucketOf(sane.durationMs);
    this.#recentOf(sane.component).add(sane, durationBucket, nowMs);
    this.#waiting.add(sane, durationBucket, nowMs);
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
    for (const timer of this.#timers) timer.cancel();
    this.#closing = true;
    const inTime = new AbortController();
    const late = sleep(this.#clock, CLOSE_WITHIN_MS, inTime.signal).then(() => {
      throw new Error(`The store did not answer within ${CLOSE_WITHIN_MS} ms.`);
    });
    try {
      await Promise.race([this.flush(), late]);
    } catch (error) {
      const { minutes, rows, instances } = this.#waiting.sizes;
      const pending = this.#pending ?? NO_CONTENT;
      this.#logger.error(
        {
          err: error,
          minutes: pending.minutes.length + minutes,
          rows: pending.rows.length + rows,
          instances: pending.instances.length + instances,
        },
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
    this.#waiting.evict(nowMs);
    for (const [component, recent] of this.#recent) {
      if (nowMs - recent.lastMs > FORGET_RECENT_MS) this.#recent.delete(component);
    }
    if (nowMs - this.#toldAtMs >= TELL_LOSS_EVERY_MS) this.#tellLoss();
    if (this.#running !== null) this.#tellSlow(nowMs);
    else if (nowMs >= this.#retryAtMs) void this.#run().catch(() => undefined);
    if (!this.#pruning) void this.#prune();
    void this.#lost.step();
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

  /** Null where there is nothing to say. */
  #takeBatch(): UsageBatch | null {
    const content = this.#waiting.take();
    const monotonicMs = this.#clock.monotonicMs();
    // One that the store was never told of has no end either.
    const isDue = this.#closing
      ? Number.isFinite(this.#beatAtMs)
      : this.#isBehind || monotonicMs >= this.#beatAtMs;
    if (content === null && !isDue) return null;
    const isAll = content === null || !isFull(content);
    if (isAll) this.#wroteMs = this.#clock.nowMs();
    this.#isBehind = !isAll;
    const closed = this.#closing && isAll;
    this.#beatAtMs = closed ? -Infinity : monotonicMs + BEAT_MS;
    return {
      app: this.#app,
      ...(content ?? NO_CONTENT),
      writer: {
        ...{ id: this.#writer, node: this.#node },
        ...{ sinceMs: this.#sinceMs, wroteMs: this.#wroteMs, closed },
      },
    };
  }

  #failed(error: unknown): void {
    this.#failures++;
    const waitMs = Math.min(this.#flushMs * 2 ** Math.min(this.#failures, 20), LONGEST_BACKOFF_MS);
    this.#retryAtMs = this.#clock.monotonicMs() + waitMs;
    this.#logger.warn(
      { err: error, failures: this.#failures, retryInMs: waitMs, cells: this.#waiting.sizes.cells },
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
    const rows = this.#waiting.droppedRows - this.#toldDroppedRows;
    const arrivals = this.#waiting.droppedArrivals - this.#toldDroppedArrivals;
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

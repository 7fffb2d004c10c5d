import type { LogEntry } from '../model/log.ts';
import { matches, type LogFilter } from './log-filter.ts';

const MAX_WAITING_ENTRIES = 1_000;
const MAX_WAITING_BYTES = 1024 ** 2;

/** What a follower gets at a time. `missed` counts the entries between the last batch and this one that it was too slow for. */
export interface LogBatch {
  readonly missed: number;
  readonly entries: readonly LogEntry[];
}

/** Takes batches. While a promise that it returned is pending, entries wait, and above a bound the oldest are dropped and counted. */
export type LogListener = (batch: LogBatch) => void | Promise<void>;

/**
 * One reader of the log as it is written.
 *
 *   idle ──offer()──▶ delivering ──nothing waits──▶ idle
 *    └───────── end(), listener failed ─────────▶ ended
 *
 * A burst within one tick is one batch.
 */
type State = 'idle' | 'delivering' | 'ended';

export class LogFollower {
  readonly #filter: LogFilter;
  readonly #listener: LogListener;
  readonly #onEnd: (follower: LogFollower) => void;
  #state: State = 'idle';
  #waiting: { entry: LogEntry; bytes: number }[] = [];
  #waitingBytes = 0;
  #missed = 0;

  constructor(filter: LogFilter, listener: LogListener, onEnd: (follower: LogFollower) => void) {
    this.#filter = filter;
    this.#listener = listener;
    this.#onEnd = onEnd;
  }

  /** Never throws and never waits. */
  offer(entry: LogEntry, bytes: number): void {
    if (this.#state === 'ended' || !matches(this.#filter, entry)) return;
    this.#waiting.push({ entry, bytes });
    this.#waitingBytes += bytes;
    while (this.#waiting.length > MAX_WAITING_ENTRIES || this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#waitingBytes -= this.#waiting.shift()!.bytes;
      this.#missed += 1;
    }
    if (this.#state === 'idle') {
      this.#state = 'delivering';
      queueMicrotask(() => void this.#deliver());
    }
  }

  end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#onEnd(this);
  }

  async #deliver(): Promise<void> {
    while (this.#state === 'delivering') {
      if (this.#waiting.length === 0 && this.#missed === 0) {
        this.#state = 'idle';
        return;
      }
      const batch = { missed: this.#missed, entries: this.#waiting.map((waiting) => waiting.entry) };
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#missed = 0;
      try {
        await this.#listener(batch);
      } catch {
        // A reader that fails is gone; the log must not suffer from it, nor report on itself.
        this.end();
      }
    }
  }
}

import type { Clock } from '../base/clock.ts';

/** So many failures at once, then one every six seconds. */
const BURST = 10;
const REFILL_MS = 6_000;
const MAX_KEYS = 10_000;

/**
 * How often somebody may fail: a bucket of attempts for each key. Who has emptied theirs waits; where the table is full, whoever has
 * failed longest ago is forgotten.
 */
export class FailureLimit {
  readonly #clock: Clock;
  /** When each key's bucket will be full again (monotonic), the one that failed last at the end. */
  readonly #fullAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#fullAtMs.size;
  }

  /** Milliseconds until `key` may try again; 0: now. */
  waitMs(key: string): number {
    const owedMs = this.#owedMs(key);
    return Math.max(0, owedMs - (BURST - 1) * REFILL_MS);
  }

  failed(key: string): void {
    const owedMs = Math.min(this.#owedMs(key) + REFILL_MS, BURST * REFILL_MS);
    this.#fullAtMs.delete(key);
    this.#fullAtMs.set(key, this.#clock.monotonicMs() + owedMs);
    if (this.#fullAtMs.size > MAX_KEYS) this.#fullAtMs.delete(this.#fullAtMs.keys().next().value!);
  }

  #owedMs(key: string): number {
    return Math.max(0, (this.#fullAtMs.get(key) ?? 0) - this.#clock.monotonicMs());
  }
}

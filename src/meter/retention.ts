import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { UsageLimits, UsageStore } from '../model/usage-store.ts';

const DAY_MS = 86_400_000;
/** Wall time may differ from monotonic time by so much between two rounds before it is taken for a jump. */
const JUMP_MS = 600_000;

/** How long usage is kept, and how much of it per component. */
export interface Retention {
  readonly minutesMs: number;
  readonly arrivalsMs: number;
  readonly arrivalBytes: number;
  readonly rowsMs: number;
  readonly rows: number;
  /** How often what is over is deleted. */
  readonly everyMs: number;
}

/** Counts are kept for a quarter of a year of bills; 8 MB hold some two million arrivals. */
export const DEFAULT_RETENTION: Retention = {
  minutesMs: 90 * DAY_MS,
  arrivalsMs: 35 * DAY_MS,
  arrivalBytes: 8 * 1024 ** 2,
  rowsMs: 14 * DAY_MS,
  rows: 20_000,
  everyMs: 3_600_000,
};

/** What may be kept of `app` at `nowMs` of wall time. */
function limitsAt(app: string, retention: Retention, nowMs: number): UsageLimits {
  return {
    app,
    minutesBeforeMs: nowMs - retention.minutesMs,
    arrivalsBeforeMs: nowMs - retention.arrivalsMs,
    arrivalBytes: retention.arrivalBytes,
    rowsBeforeMs: nowMs - retention.rowsMs,
    rows: retention.rows,
  };
}

/**
 * Deletes an app's old usage now and then. A round in which the wall clock has jumped is left out, so that a clock set wrongly for a moment
 * does not delete a month; if it still stands there in the next round, it is believed.
 */
export class RetentionRounds {
  readonly #app: string;
  readonly #retention: Retention;
  readonly #store: UsageStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #wallMs: number;
  #monotonicMs: number;

  constructor(app: string, retention: Retention, store: UsageStore, clock: Clock, logger: Logger) {
    this.#app = app;
    this.#retention = retention;
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
    this.#wallMs = clock.nowMs();
    this.#monotonicMs = clock.monotonicMs();
  }

  /** One round, where one is due. Never rejects. */
  async step(): Promise<void> {
    const monotonicMs = this.#clock.monotonicMs();
    const passedMs = monotonicMs - this.#monotonicMs;
    if (passedMs < this.#retention.everyMs) return;
    const wallMs = this.#clock.nowMs();
    const jumpedMs = wallMs - this.#wallMs - passedMs;
    this.#wallMs = wallMs;
    this.#monotonicMs = monotonicMs;
    if (Math.abs(jumpedMs) > JUMP_MS) {
      this.#logger.warn({ jumpedMs }, 'The clock was set; old usage is not deleted until the next round.');
      return;
    }
    try {
      await this.#store.prune(limitsAt(this.#app, this.#retention, wallMs));
    } catch (error) {
      this.#logger.warn(
        { err: error },
        'Old usage could not be deleted; it is tried again in the next round.',
      );
    }
  }
}

import type { Clock, Timer } from '../base/clock.ts';

/**
 * One timer for a loop that looks at everything whenever it wakes. A request for a later moment than the one that is
 * set costs a comparison: the loop wakes early, sees that nothing is due, and asks again.
 */
export class Wake {
  readonly #clock: Clock;
  readonly #run: () => void;
  #timer: Timer | null = null;
  #atMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, run: () => void) {
    this.#clock = clock;
    this.#run = run;
  }

  /** Wakes the loop at `atMs` (monotonic) or sooner. */
  by(atMs: number): void {
    if (atMs >= this.#atMs) return;
    this.#timer?.cancel();
    this.#atMs = atMs;
    this.#timer = this.#clock.after(Math.max(0, atMs - this.#clock.monotonicMs()), () => {
      this.#timer = null;
      this.#atMs = Number.POSITIVE_INFINITY;
      this.#run();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#atMs = Number.POSITIVE_INFINITY;
  }
}

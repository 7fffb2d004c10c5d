import type { Clock } from '../base/clock.ts';

/** A terminal sends Ctrl-C to all its processes, and one that started us may pass it on: the same press twice. */
const SAME_PRESS_MS = 250;

/** Tells what a signal to end means: the first one `end in order`, its echoes nothing, one that comes later `end now`. */
export class EndRequests {
  readonly #clock: Clock;
  #firstMs: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(): 'end-in-order' | 'echo' | 'end-now' {
    const nowMs = this.#clock.monotonicMs();
    if (this.#firstMs === null) {
      this.#firstMs = nowMs;
      return 'end-in-order';
    }
    return nowMs - this.#firstMs <= SAME_PRESS_MS ? 'echo' : 'end-now';
  }
}

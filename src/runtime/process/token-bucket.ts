import type { Clock } from '../../base/clock.ts';

/** Lets `perSecond` units through on average and `burst` at once. Starts full. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #filledAtMs: number;

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#perMs = perSecond / 1_000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAtMs = clock.monotonicMs();
  }

  /** Takes `amount` where that much is there; otherwise takes nothing. */
  take(amount: number): boolean {
    this.#fill();
    if (amount > this.#tokens) return false;
    this.#tokens -= amount;
    return true;
  }

  /** Takes what is there of `amount`, in whole units. @returns how much that is. */
  takeUpTo(amount: number): number {
    this.#fill();
    const taken = Math.max(0, Math.min(amount, Math.floor(this.#tokens)));
    this.#tokens -= taken;
    return taken;
  }

  /** Takes `amount` in any case, going into debt, and tells how long to wait until the debt is paid; 0 where there is none. */
  draw(amount: number): number {
    this.#fill();
    this.#tokens -= amount;
    return this.#tokens >= 0 ? 0 : Math.ceil(-this.#tokens / this.#perMs);
  }

  #fill(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#filledAtMs) * this.#perMs);
    this.#filledAtMs = nowMs;
  }
}

import type { ClientRate } from '../../model/app.ts';

/**
 * Rounding of times must not refuse what comes exactly when it may. A bucket can be ahead of its rate by no more than this, however
 * often it is asked: what is taken is always counted in full.
 */
const ROUNDING_MS = 0.001;

/**
 * A token bucket's rule, without its fill: `burst` at once, and `rps` per second from then on. The fill is one number, the time at which
 * the bucket is full again; -Infinity for one that has not been used. That is the "theoretical arrival time" of the generic cell rate
 * algorithm in its virtual scheduling form (ITU-T I.371, annex A), which admits exactly what a bucket of tokens does and needs no timer.
 * Times are monotonic milliseconds.
 */
export class BucketRate {
  readonly rps: number;
  readonly burst: number;
  readonly #everyMs: number;
  readonly #aheadMs: number;

  constructor({ rps, burst }: ClientRate) {
    this.rps = rps;
    this.burst = burst;
    this.#everyMs = 1_000 / rps;
    this.#aheadMs = (burst - 1) * this.#everyMs;
  }

  /** How long until a token is there; 0: one is. */
  waitMs(fullAtMs: number, nowMs: number): number {
    const waitMs = fullAtMs - nowMs - this.#aheadMs;
    return waitMs <= ROUNDING_MS ? 0 : waitMs;
  }

  /** When it is full again after a token was taken. */
  taken(fullAtMs: number, nowMs: number): number {
    return Math.max(fullAtMs, nowMs) + this.#everyMs;
  }

  /** When a bucket is full again that lacks as much as another one of `before` does, and is empty at most. */
  takenOver(before: BucketRate, fullAtMs: number, nowMs: number): number {
    const lacks = Math.min(Math.max(0, fullAtMs - nowMs) / before.#everyMs, this.burst);
    return lacks === 0 ? -Infinity : nowMs + lacks * this.#everyMs;
  }
}

/** Over any time t no more than burst + rps × t are let through, and what is less than that is let through. Starts full. */
export class TokenBucket {
  #rate: BucketRate;
  #fullAtMs = -Infinity;

  constructor(rate: ClientRate) {
    this.#rate = new BucketRate(rate);
  }

  /** How long until it may be taken from; 0: now. Takes nothing. */
  waitMs(nowMs: number): number {
    return this.#rate.waitMs(this.#fullAtMs, nowMs);
  }

  /** Takes one, which must be there. */
  take(nowMs: number): void {
    this.#fullAtMs = this.#rate.taken(this.#fullAtMs, nowMs);
  }

  /** Another rate from now on. What was taken stays taken: a change gives nobody a burst. */
  change(rate: ClientRate, nowMs: number): void {
    const next = new BucketRate(rate);
    this.#fullAtMs = next.takenOver(this.#rate, this.#fullAtMs, nowMs);
    this.#rate = next;
  }
}

import type { Clock } from '../base/clock.ts';
import { IdleHistogram, type KeepAliveVerdict } from './idle-histogram.ts';

/** An invocation of before this server began. */
export interface PastArrival {
  /** In ms since the epoch. */
  readonly arrivedAtMs: number;
  readonly durationMs: number;
}

/** Who decides by a habit. */
interface Awaiting {
  changed(): void;
}

/**
 * When one component is used, whichever release or mode serves it. Every pool of a component whose keep-alive is adaptive, or once was,
 * tells it of its invocations; none of that takes more than constant time.
 */
export class Habit {
  readonly #clock: Clock;
  readonly #histogram = new IdleHistogram();
  /** A set that is emptied, and not a promise: its reactions would hold whoever has gone meanwhile. */
  readonly #awaiting = new Set<Awaiting>();
  #isPastOver = false;
  #inFlight = 0;
  #idleSinceMs: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Since when (monotonic) nothing has been in flight; null where something is, or nothing is known yet. */
  get idleSinceMs(): number | null {
    return this.#idleSinceMs;
  }

  /** Tells `one` when it knows what was before the server began, or that it never will; not where it does already. */
  awaitPast(one: Awaiting): void {
    if (!this.#isPastOver) this.#awaiting.add(one);
  }

  forget(one: Awaiting): void {
    this.#awaiting.delete(one);
  }

  /** Nothing more of the past will be told to it. */
  pastIsOver(): void {
    this.#isPastOver = true;
    for (const one of this.#awaiting) one.changed();
    this.#awaiting.clear();
  }

  /** What its idle times say; null: nothing. */
  get verdict(): KeepAliveVerdict | null {
    return this.#histogram.verdict();
  }

  /** An invocation has been given a slot. @param arrivedMs when it came (monotonic); null: just now. */
  began(arrivedMs: number | null): void {
    if (this.#inFlight++ > 0 || this.#idleSinceMs === null) return;
    const atMs = arrivedMs ?? this.#clock.monotonicMs();
    // One that came while another was still at work has ended no idle time.
    if (atMs > this.#idleSinceMs) this.#histogram.add(atMs - this.#idleSinceMs, atMs);
    this.#idleSinceMs = null;
  }

  /** Its slot was released. */
  over(): void {
    if (--this.#inFlight === 0) this.#idleSinceMs = this.#clock.monotonicMs();
  }

  /** Learns from what was before: `past` in the order of arrival. */
  recall(past: readonly PastArrival[]): void {
    // On the monotonic clock, where they may lie before 0.
    const shiftMs = this.#clock.monotonicMs() - this.#clock.nowMs();
    let busyUntilMs: number | null = null;
    for (const { arrivedAtMs, durationMs } of past) {
      const atMs = arrivedAtMs + shiftMs;
      if (busyUntilMs !== null && atMs > busyUntilMs) this.#histogram.add(atMs - busyUntilMs, atMs);
      busyUntilMs = Math.max(busyUntilMs ?? atMs, atMs + durationMs);
    }
    if (busyUntilMs !== null && this.#inFlight === 0 && this.#idleSinceMs === null) {
      // Whatever was in flight when the server ended is not any more.
      this.#idleSinceMs = Math.min(busyUntilMs, this.#clock.monotonicMs());
    }
  }
}

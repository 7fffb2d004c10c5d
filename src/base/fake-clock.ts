import type { Clock, Timer } from './clock.ts';

interface Entry {
  dueMs: number;
  order: number;
  periodMs: number | null;
  run: () => void;
}

/**
 * A clock that stands still until it is told to move. Part of the public `fulcrum/testing`, and what this
 * project's own tests drive their loops by.
 */
export class FakeClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  #order = 0;
  readonly #entries = new Set<Entry>();

  /** @param startMs wall time at the start, in ms since the epoch. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = startMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#add(delayMs, null, run);
  }

  every(periodMs: number, run: () => void): Timer {
    return this.#add(periodMs, periodMs, run);
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#entries.size;
  }

  /** Sets wall time without moving monotonic time, as an operator or NTP would. */
  setWallMs(wallMs: number): void {
    this.#wallMs = wallMs;
  }

  /**
   * Moves time on by `byMs`, running each timer at its own moment and in order. Between two timers the
   * microtask queue is emptied, so that what a timer resolves has happened before the next one fires.
   */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#monotonicMs + byMs;
    for (;;) {
      const next = this.#nextDue(endMs);
      if (next === null) break;
      this.#moveTo(next.dueMs);
      if (next.periodMs === null) this.#entries.delete(next);
      else next.dueMs += Math.max(next.periodMs, 1);
      next.run();
      await settle();
    }
    this.#moveTo(endMs);
    await settle();
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }

  #nextDue(endMs: number): Entry | null {
    let best: Entry | null = null;
    for (const entry of this.#entries) {
      if (entry.dueMs > endMs) continue;
      if (
        best === null ||
        entry.dueMs < best.dueMs ||
        (entry.dueMs === best.dueMs && entry.order < best.order)
      ) {
        best = entry;
      }
    }
    return best;
  }

  #add(delayMs: number, periodMs: number | null, run: () => void): Timer {
    const entry: Entry = {
      dueMs: this.#monotonicMs + Math.max(delayMs, 0),
      order: this.#order++,
      periodMs,
      run,
    };
    this.#entries.add(entry);
    return { cancel: () => void this.#entries.delete(entry) };
  }
}

/** Lets everything that is already resolved run: microtasks, and what they queue. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

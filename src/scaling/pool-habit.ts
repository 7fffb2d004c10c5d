import type { Habit } from './habit.ts';
import type { HabitView } from './snapshot.ts';

export interface PoolHabitOptions {
  /** Of its component. */
  readonly habit: Habit;
  /** Whether instances come and stay by it at present. */
  readonly isFollowed: () => boolean;
  /** How long a zygote of the pool's stays without an instance; null: as configured. */
  readonly keepZygote: (keepAliveMs: number | null) => void;
}

/** The dealings of one pool with its component's habit: what it tells it, and what it goes by. */
export class PoolHabit {
  readonly #o: PoolHabitOptions;
  /** Since when nothing had been in flight when an instance was pre-warmed last. */
  #prewarmedOfMs: number | null = null;

  constructor(o: PoolHabitOptions) {
    this.#o = o;
  }

  /** What decisions go by; null: nothing. */
  get view(): HabitView | null {
    const { habit, isFollowed } = this.#o;
    const verdict = isFollowed() ? habit.verdict : null;
    if (verdict === null) return null;
    const { idleSinceMs } = habit;
    const prewarmed = idleSinceMs !== null && idleSinceMs === this.#prewarmedOfMs;
    return { idleSinceMs, prewarmed, ...verdict };
  }

  /** By it, an instance that has nothing to do now ends now. */
  get endsAtOnce(): boolean {
    const { view } = this;
    return view !== null && view.idleSinceMs !== null && view.prewarmAfterMs > 0;
  }

  /** An invocation has been given a slot. @param arrivedMs see {@link Habit.began}. */
  began(arrivedMs: number | null): void {
    this.#o.habit.began(arrivedMs);
  }

  /** Its slot was released. */
  over(): void {
    this.#o.habit.over();
  }

  /** An instance has been started for the use that is expected next. */
  prewarmed(): void {
    this.#prewarmedOfMs = this.#o.habit.idleSinceMs;
  }

  /** An instance is about to end. @param withZygote see `End.withZygote`. */
  ends(withZygote: boolean): void {
    this.#o.keepZygote(withZygote ? 0 : null);
  }
}

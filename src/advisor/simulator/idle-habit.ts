import type { FunctionModel } from '../../model/simulation.ts';
import { decideFunction } from '../../scaling/decide-function.ts';
import { IdleHistogram } from '../../scaling/idle-histogram.ts';
import type { HabitView, InstanceView, Plan } from '../../scaling/snapshot.ts';
import type { IdleList } from './idle-list.ts';

/** In a replay every start succeeds. */
const NO_RETRY = { failures: 0, retryAtMs: -Infinity, latest: 'revision' } as const;

/**
 * When a replayed component is used, as `scaling/habit.ts` and `scaling/pool-habit.ts` learn it on a server, and what the scaler decides by it. It
 * begins with knowing nothing. The times are those of the replay.
 */
export class IdleHabit {
  readonly #model: FunctionModel;
  readonly #warm: number;
  readonly #histogram = new IdleHistogram();
  #idleSinceMs: number | null = null;
  #prewarmedOfMs: number | null = null;

  constructor(model: FunctionModel) {
    this.#model = model;
    this.#warm = Math.min(model.provisioned, model.settings.maxInstances);
  }

  /** The first is in flight again. @param arrivedMs when it came. */
  began(arrivedMs: number): void {
    const idleSinceMs = this.#idleSinceMs;
    // One that came while another was still at work has ended no idle time.
    if (idleSinceMs !== null && arrivedMs > idleSinceMs)
      this.#histogram.add(arrivedMs - idleSinceMs, arrivedMs);
    this.#idleSinceMs = null;
  }

  /** Nothing is in flight any more. */
  over(nowMs: number): void {
    this.#idleSinceMs = nowMs;
  }

  /** The instance that the last plan asked for has been started. */
  prewarmed(): void {
    this.#prewarmedOfMs = this.#idleSinceMs;
  }

  /**
   * What the scaler decides while nothing is in flight; null: the habit tells nothing, and the fixed keep-alive holds.
   * @param slots of all that live, the oldest first; those that `idle` does not hold are starting.
   * @param served by slot: whether anybody has used it.
   */
  planAt(
    nowMs: number,
    queued: number,
    slots: Iterable<number>,
    idle: IdleList,
    served: ArrayLike<number>,
  ): Plan | null {
    const habit = this.#view();
    if (habit === null) return null;
    const instances = Array.from(slots, (slot): InstanceView => {
      const idleSinceMs = idle.sinceMs(slot);
      return {
        id: String(slot),
        state: idleSinceMs === null ? 'starting' : 'ready',
        inFlight: 0,
        served: served[slot]!,
        idleSinceMs: idleSinceMs ?? 0,
        failing: null,
      };
    });
    const { settings, startsAtOnce = Infinity } = this.#model;
    return decideFunction(
      {
        mode: 'function',
        settings,
        queued,
        instances,
        retry: NO_RETRY,
        warm: this.#warm,
        startsAtOnce,
        habit,
      },
      nowMs,
    );
  }

  #view(): HabitView | null {
    const verdict = this.#histogram.verdict();
    if (verdict === null) return null;
    const idleSinceMs = this.#idleSinceMs;
    const prewarmed = idleSinceMs !== null && idleSinceMs === this.#prewarmedOfMs;
    return { ...verdict, idleSinceMs, prewarmed };
  }
}

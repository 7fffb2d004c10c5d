import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { Habit, type PastArrival } from './habit.ts';
import { Turns } from './turns.ts';

export interface HabitsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What arrived at a component before `beforeMs` (since the epoch), in that order: as much of the latest as says something. */
  readonly past: (component: string, beforeMs: number) => Promise<readonly PastArrival[]>;
}

/** Names of components that an app may have had since the server began. Habits beyond that are learnt anew. */
const MOST = 1_000;

/** The habits of one app's components. They outlive its releases; after a restart they are learnt from its usage, in the background. */
export class Habits {
  readonly #o: HabitsOptions;
  readonly #habits = new Map<string, Habit>();
  /** One component's past is read at a time: nobody waits for it. */
  readonly #turns = new Turns();

  constructor(o: HabitsOptions) {
    this.#o = o;
  }

  of(component: string): Habit {
    const known = this.#habits.get(component);
    if (known !== undefined) return known;
    const habit = new Habit(this.#o.clock);
    const [oldest] = this.#habits.keys();
    if (this.#habits.size >= MOST) this.#habits.delete(oldest!);
    this.#habits.set(component, habit);
    // What arrives from now on it sees itself.
    void this.#recall(component, habit, this.#o.clock.nowMs());
    return habit;
  }

  /** Of a component that has had one; null: it never had. */
  known(component: string): Habit | null {
    return this.#habits.get(component) ?? null;
  }

  async #recall(component: string, habit: Habit, beforeMs: number): Promise<void> {
    const endTurn = await this.#turns.take();
    try {
      habit.recall(await this.#o.past(component, beforeMs));
    } catch (error) {
      const text = `the habits of "${component}" are learnt anew: its usage could not be read`;
      this.#o.logger.warn({ component, error: messageOf(error) }, text);
    } finally {
      habit.pastIsOver();
      endTurn();
    }
  }
}

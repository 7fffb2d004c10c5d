import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { Habit, type PastArrival } from './habit.ts';
import { Turns } from './turns.ts';

export interface HabitsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * What arrived at components, which share their instances, before `beforeMs` (since the epoch), in that order: as much of the latest as
   * says something.
   */
  readonly past: (components: readonly string[], beforeMs: number) => Promise<readonly PastArrival[]>;
}

/** Units that an app's releases may have at a time. Habits beyond that are learnt anew. */
const MOST = 1_000;

/**
 * The habits of one app's components, and groups of them. They outlive its releases; after a restart they are learnt from its usage, in the
 * background. A group's is that of its members: it is another one where those are others, whatever the group is called.
 */
export class Habits {
  readonly #o: HabitsOptions;
  readonly #habits = new Map<string, Habit>();
  /** One component's past is read at a time: nobody waits for it. */
  readonly #turns = new Turns();

  constructor(o: HabitsOptions) {
    this.#o = o;
  }

  /** Of the unit that holds `members`: a component, or those of a group. */
  of(members: readonly string[]): Habit {
    const key = keyOf(members);
    const known = this.#habits.get(key);
    if (known !== undefined) return known;
    const habit = new Habit(this.#o.clock);
    const [oldest] = this.#habits.keys();
    if (this.#habits.size >= MOST) this.#habits.delete(oldest!);
    this.#habits.set(key, habit);
    // What arrives from now on it sees itself.
    void this.#recall(members, habit, this.#o.clock.nowMs());
    return habit;
  }

  /** Of what has had one; null: it never had. */
  known(members: readonly string[]): Habit | null {
    return this.#habits.get(keyOf(members)) ?? null;
  }

  /**
   * Forgets all but those of these units: what is asked of a component while it is in a group its own habit does not see, and would take
   * for one long idle time. Where it is alone again it is learnt from its usage.
   */
  keep(units: Iterable<readonly string[]>): void {
    const kept = new Set(Array.from(units, keyOf));
    for (const key of this.#habits.keys()) if (!kept.has(key)) this.#habits.delete(key);
  }

  async #recall(members: readonly string[], habit: Habit, beforeMs: number): Promise<void> {
    const endTurn = await this.#turns.take();
    try {
      habit.recall(await this.#o.past(members, beforeMs));
    } catch (error) {
      const [component] = members;
      const names = members.map((name) => `"${name}"`).join(', ');
      const text = `the habits of ${names} are learnt anew: their usage could not be read`;
      this.#o.logger.warn({ component, error: messageOf(error) }, text);
    } finally {
      habit.pastIsOver();
      endTurn();
    }
  }
}

function keyOf(members: readonly string[]): string {
  return members.toSorted().join(' ');
}

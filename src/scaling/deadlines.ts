import type { Clock } from '../base/clock.ts';
import { Wake } from './wake.ts';

/** Deadlines that fall into the same step fire together, at its end: never early, and at most this much late. */
export const STEP_MS = 10;

/** Something that is over at `deadlineMs` (monotonic) unless it was removed before. */
export abstract class Deadline {
  abstract readonly deadlineMs: number;
  /** Where it stands among those of its step; -1 where it is not watched. Kept by {@link Deadlines}. */
  place = -1;
  abstract expire(): void;
}

/**
 * Watches any number of deadlines with a single timer: adding and removing one touches an array and no timer, which is
 * what nearly every request does, for nearly none expires.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #wake: Wake;
  readonly #steps = new Map<number, Deadline[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wake = new Wake(clock, () => this.#expireDue());
  }

  add(deadline: Deadline): void {
    const step = stepOf(deadline);
    const others = this.#steps.get(step);
    deadline.place = others?.length ?? 0;
    if (others) others.push(deadline);
    else this.#steps.set(step, [deadline]);
    this.#wake.by(step * STEP_MS);
  }

  /** Does nothing where it is not watched (any more). */
  remove(deadline: Deadline): void {
    if (deadline.place < 0) return;
    const step = stepOf(deadline);
    const others = this.#steps.get(step)!;
    const last = others.pop()!;
    if (last !== deadline) {
      others[deadline.place] = last;
      last.place = deadline.place;
    }
    deadline.place = -1;
    if (others.length === 0) this.#steps.delete(step);
  }

  #expireDue(): void {
    const nowMs = this.#clock.monotonicMs();
    let nextStep = Number.POSITIVE_INFINITY;
    for (const [step, deadlines] of this.#steps) {
      if (step * STEP_MS > nowMs) {
        nextStep = Math.min(nextStep, step);
        continue;
      }
      this.#steps.delete(step);
      for (const deadline of deadlines) deadline.place = -1;
      for (const deadline of deadlines) deadline.expire();
    }
    if (nextStep < Number.POSITIVE_INFINITY) this.#wake.by(nextStep * STEP_MS);
  }
}

function stepOf(deadline: Deadline): number {
  return Math.ceil(deadline.deadlineMs / STEP_MS);
}

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

/** Of the wheel: what is further off than its turn stays in its place for another one. */
const PLACES = 4_096;

/**
 * Watches any number of deadlines with a single timer: a wheel of steps. Adding and removing one touches an array and no timer,
 * which is what nearly every request does, for nearly none expires.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #wake: Wake;
  readonly #wheel: Deadline[][] = Array.from({ length: PLACES }, () => []);
  /** The first step that has not been looked at. */
  #next: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wake = new Wake(clock, () => this.#expireDue());
    this.#next = Math.floor(clock.monotonicMs() / STEP_MS);
  }

  add(deadline: Deadline): void {
    const step = stepOf(deadline);
    const others = this.#wheel[step % PLACES]!;
    deadline.place = others.length;
    others.push(deadline);
    this.#wake.by(step * STEP_MS);
  }

  /** Does nothing where it is not watched (any more). */
  remove(deadline: Deadline): void {
    if (deadline.place < 0) return;
    const others = this.#wheel[stepOf(deadline) % PLACES]!;
    const last = others.pop()!;
    if (last !== deadline) {
      others[deadline.place] = last;
      last.place = deadline.place;
    }
    deadline.place = -1;
  }

  #expireDue(): void {
    const now = Math.floor(this.#clock.monotonicMs() / STEP_MS);
    // After a pause longer than a whole turn every place has been passed.
    const first = Math.max(this.#next, now - PLACES + 1);
    this.#next = now + 1;
    for (let step = first; step <= now; step++) this.#expire(step % PLACES, now);
    const next = this.#nextTaken(now);
    if (next !== null) this.#wake.by(next * STEP_MS);
  }

  #expire(place: number, now: number): void {
    const due = this.#wheel[place]!.filter((deadline) => stepOf(deadline) <= now);
    for (const deadline of due) this.remove(deadline);
    for (const deadline of due) deadline.expire();
  }

  /** The next step at which a deadline may be due; null where none is watched. */
  #nextTaken(now: number): number | null {
    for (let step = now + 1; step <= now + PLACES; step++) {
      if (this.#wheel[step % PLACES]!.length > 0) return step;
    }
    return null;
  }
}

function stepOf(deadline: Deadline): number {
  return Math.ceil(deadline.deadlineMs / STEP_MS);
}

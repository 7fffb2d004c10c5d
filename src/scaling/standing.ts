/**
 * How a replica stands by the answers that it gives:
 *
 *   in ── it keeps failing ──▶ out ── its time is over ──▶ due ── an invocation is given to it ──▶ trial
 *   ▲                           ▲                           ▲                                       │
 *   │                           │                           └─ no verdict at its end, or for long ──┤
 *   │                           └────────────────────────────────── it failed ──────────────────────┤
 *   └────────────────────────────────────────────────────── it was answered, or ended, well ────────┘
 *
 * A trial that lasts says its verdict later, out of `due` or of the next trial. `in` takes work. `out` and `trial` take none, `due` one.
 * Who ejects, for how long and when not: `ejections.ts`.
 */
import { FulcrumError } from '../base/errors.ts';

export type StandingState = 'in' | 'out' | 'due' | 'trial';

const NEXT: Readonly<Record<StandingState, readonly StandingState[]>> = {
  in: ['out'],
  out: ['due'],
  due: ['trial', 'in', 'out'],
  trial: ['in', 'due', 'out'],
};

/** What was counted of a pool's invocations. */
export interface Tally {
  readonly ended: number;
  readonly failed: number;
}

export class Standing {
  /** Failures one after the other. */
  failures = 0;
  /** What the others had done when the first of those failures came. */
  othersBefore: Tally = { ended: 0, failed: 0 };
  /** Of all its invocations. */
  ended = 0;
  failed = 0;
  /** How often it has been ejected, as far as that is not forgiven. */
  ejections = 0;
  /** When its present ejection is over, or its last was. */
  untilMs = 0;
  #state: StandingState = 'in';

  get state(): StandingState {
    return this.#state;
  }

  to(next: StandingState): void {
    if (!NEXT[this.#state].includes(next)) {
      throw new FulcrumError('internal', `A replica's standing cannot go from ${this.#state} to ${next}.`);
    }
    this.#state = next;
  }
}

import type { Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { QueuePace } from './queue-pace.ts';
import type { Slot, SlotRequest } from '../model/slot.ts';

/** One invocation that waits for an instance. */
export interface Waiter {
  readonly request: SlotRequest;
  /** Clock.monotonicMs() at which it began to wait. */
  readonly arrivedMs: number;
}

interface Entry extends Waiter {
  readonly resolve: (slot: Slot) => void;
  readonly reject: (error: unknown) => void;
  readonly onAbort: () => void;
  before: Entry | null;
  behind: Entry | null;
}

/**
 * Holds the invocations of one component while no instance is free: a bounded queue, first come, first served. It
 * outlives revisions and modes, so that who waits is carried over into whatever serves next. A linked list, because any
 * of them may leave at any time. An invocation's deadline reaches it through its signal.
 */
export class Activator {
  readonly #component: string;
  readonly #clock: Clock;
  readonly #left: () => void;
  readonly #pace = new QueuePace();
  #first: Entry | null = null;
  #last: Entry | null = null;
  #size = 0;

  /** @param left is called after an invocation gave up waiting. */
  constructor(component: string, clock: Clock, left: () => void) {
    this.#component = component;
    this.#clock = clock;
    this.#left = left;
  }

  get size(): number {
    return this.#size;
  }

  /** When to come again, for whoever is turned away: in seconds, by how many wait and how fast they are served. */
  get retryAfterS(): number {
    return this.#pace.waitS(this.#size, this.#clock.monotonicMs());
  }

  /** Rejects with the signal's reason when it aborts, or with what the queue was refused with. Throws `overloaded`. */
  enter(request: SlotRequest, maxQueued: number): Promise<Slot> {
    if (this.#size >= maxQueued) {
      throw new FulcrumError(
        'overloaded',
        `${this.#size} invocations of component "${this.#component}" already wait for an instance, and no more may (see queue in its config). Try again later, or allow more instances.`,
        { retryAfterS: this.retryAfterS },
      );
    }
    return new Promise((resolve, reject) => {
      const nowMs = this.#clock.monotonicMs();
      if (this.#size === 0) this.#pace.began(nowMs);
      const entry: Entry = {
        request,
        arrivedMs: nowMs,
        resolve,
        reject,
        onAbort: () => {
          this.#remove(entry);
          reject(request.signal.reason);
          this.#left();
        },
        before: this.#last,
        behind: null,
      };
      if (this.#last === null) this.#first = entry;
      else this.#last.behind = entry;
      this.#last = entry;
      this.#size++;
      request.signal.addEventListener('abort', entry.onAbort, { once: true });
    });
  }

  /** Gives slots, the oldest waiter first, until nobody waits or `slotFor` has none. */
  serve(slotFor: (waiter: Waiter) => Slot | null): void {
    for (let entry = this.#first; entry !== null; entry = this.#first) {
      // Deadlines fire in steps of a few milliseconds: whose time is over must not be started any more.
      const nowMs = this.#clock.monotonicMs();
      if (entry.request.deadlineMs <= nowMs) {
        this.#remove(entry);
        entry.reject(this.#tooLate(entry));
        continue;
      }
      const slot = slotFor(entry);
      if (slot === null) return;
      this.#pace.served(nowMs);
      this.#remove(entry);
      entry.resolve(slot);
    }
  }

  /** Turns away those who came last. */
  refuseNewest(count: number, error: FulcrumError): void {
    for (let i = 0; i < count && this.#last !== null; i++) {
      const entry = this.#last;
      this.#remove(entry);
      entry.reject(error);
    }
  }

  #remove(entry: Entry): void {
    if (entry.before === null) this.#first = entry.behind;
    else entry.before.behind = entry.behind;
    if (entry.behind === null) this.#last = entry.before;
    else entry.behind.before = entry.before;
    this.#size--;
    if (this.#size === 0) this.#pace.emptied(this.#clock.monotonicMs());
    entry.request.signal.removeEventListener('abort', entry.onAbort);
  }

  #tooLate(entry: Entry): FulcrumError {
    return noneFree(this.#component, this.#clock.monotonicMs() - entry.arrivedMs, this.retryAfterS);
  }
}

/**
 * An invocation's time was over before it had an instance. Not its own fault, as a timeout of a handler's is: nothing of it has been done,
 * and it may be sent again whatever it is.
 */
export function noneFree(component: string, waitedMs: number, retryAfterS: number): FulcrumError {
  return new FulcrumError(
    'overloaded',
    `No instance of component "${component}" was free within ${Math.round(waitedMs)} ms, the time this invocation had. It was not begun: try again later, or allow more instances.`,
    { retryAfterS },
  );
}

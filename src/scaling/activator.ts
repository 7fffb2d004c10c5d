import type { Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { NameCounts } from './name-counts.ts';
import { QueuePace } from './queue-pace.ts';
import type { Slot, SlotRequest } from '../model/slot.ts';

/** One invocation that waits for an instance. */
export interface Waiter {
  readonly request: SlotRequest;
  /** Clock.monotonicMs() at which it began to wait. */
  readonly arrivedMs: number;
}

interface Entry extends Waiter {
  readonly comesBack: boolean;
  readonly resolve: (slot: Slot) => void;
  readonly reject: (error: unknown) => void;
  readonly onAbort: () => void;
  before: Entry | null;
  behind: Entry | null;
}

/**
 * Holds the invocations of one component, or of a group's, while no instance is free: a bounded queue, first come, first served, but for
 * calls that come back to where their chain has been: an instance is held for them already, and all that wait came after it was. It
 * outlives revisions and modes, so that who waits is carried over into whatever serves next. A linked list, because any
 * of them may leave at any time. An invocation's deadline reaches it through its signal.
 */
export class Activator {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #left: () => void;
  /** Of a group. */
  readonly #members: readonly string[] | null;
  readonly #sizes = new NameCounts();
  readonly #pace = new QueuePace();
  #first: Entry | null = null;
  #last: Entry | null = null;
  /** The last of those in front that come back. */
  #lastBack: Entry | null = null;
  #size = 0;
  #calls = 0;

  /** @param left is called after an invocation gave up waiting. @param members of a group. */
  constructor(name: string, clock: Clock, left: () => void, members: readonly string[] | null = null) {
    this.#name = name;
    this.#clock = clock;
    this.#left = left;
    this.#members = members;
  }

  get size(): number {
    return this.#size;
  }

  /** How many of those that wait have been called by others. */
  get calls(): number {
    return this.#calls;
  }

  /** How many of one component wait. */
  sizeOf(component: string): number {
    return this.#sizes.of(component);
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
        `${this.#size} invocations of ${this.#members === null ? 'component' : 'group'} "${this.#name}" already wait for an instance, and no more may (see queue in its config). Try again later, or allow more instances.`,
        { retryAfterS: this.retryAfterS },
      );
    }
    return new Promise((resolve, reject) => {
      const nowMs = this.#clock.monotonicMs();
      if (this.#size === 0) this.#pace.began(nowMs);
      const entry: Entry = {
        request,
        arrivedMs: nowMs,
        comesBack: this.#comesBack(request),
        resolve,
        reject,
        onAbort: () => {
          this.#remove(entry);
          reject(request.signal.reason);
          this.#left();
        },
        before: null,
        behind: null,
      };
      this.#insert(entry, entry.comesBack ? this.#lastBack : this.#last);
      if (entry.comesBack) this.#lastBack = entry;
      this.#size++;
      if (request.trigger === 'call') this.#calls++;
      this.#sizes.add(request.component);
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

  /** @param before null: at the front. */
  #insert(entry: Entry, before: Entry | null): void {
    entry.before = before;
    entry.behind = before === null ? this.#first : before.behind;
    if (before === null) this.#first = entry;
    else before.behind = entry;
    if (entry.behind === null) this.#last = entry;
    else entry.behind.before = entry;
  }

  /** Whether one that it waits for, directly or by others, is held by whoever calls it. */
  #comesBack({ call }: SlotRequest): boolean {
    for (let step = call?.by ?? null; step !== null; step = step.by)
      if (this.#members?.includes(step.component) ?? step.component === this.#name) return true;
    return false;
  }

  #remove(entry: Entry): void {
    if (entry === this.#lastBack) this.#lastBack = entry.before;
    if (entry.before === null) this.#first = entry.behind;
    else entry.before.behind = entry.behind;
    if (entry.behind === null) this.#last = entry.before;
    else entry.behind.before = entry.before;
    this.#size--;
    if (entry.request.trigger === 'call') this.#calls--;
    this.#sizes.remove(entry.request.component);
    if (this.#size === 0) this.#pace.emptied(this.#clock.monotonicMs());
    entry.request.signal.removeEventListener('abort', entry.onAbort);
  }

  #tooLate(entry: Entry): FulcrumError {
    return noneFree(
      this.#members === null ? this.#name : entry.request.component,
      this.#clock.monotonicMs() - entry.arrivedMs,
      this.retryAfterS,
    );
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

import type { Mode } from './app.ts';
import type { Instance } from './instance.ts';
import type { Asker, InvocationContext, InvocationEnd } from './invocation.ts';

/** The right to one invocation on one instance. Whoever takes it must call `release` exactly once. */
export interface Slot {
  readonly instance: Instance;
  readonly mode: Mode;
  /** No instance was free: the invocation waited for one to start. */
  readonly cold: boolean;
  /** From the invocation's arrival until the slot was given. */
  readonly waitedMs: number;
  /** How much of that was an instance starting; 0 where it was not cold, or another that waited for the same start bears it. */
  readonly startMs: number;
  /** Tells that a replica has begun to answer, which says more of it than how long the answer lasts. */
  answered(httpStatus: number): void;
  /**
   * Tells how it ended, so that the instance can take other work, be retired, be replaced or be ejected.
   * @param httpStatus what it answered; 0 or absent where that was no HTTP, or it never did.
   */
  release(end: InvocationEnd, httpStatus?: number): void;
}

/** An invocation that asks for a slot. */
export type SlotRequest = InvocationContext & Asker;

/** Gives slots. Implemented by `scaling/activator`. */
export interface SlotSource {
  /**
   * A slot at once where an instance is free, else a promise for one.
   * Rejects (or throws) with `overloaded`, `start-failed`, `not-found`, `shutting-down`, or the reason of `request.signal`.
   */
  take(component: string, request: SlotRequest): Slot | Promise<Slot>;
  /** How long an invocation of this component may take: its timeout in its present mode. Throws `not-found`. */
  timeoutMs(component: string): number;
}

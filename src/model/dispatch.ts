import type { CancelSignal } from '../base/cancel.ts';
import type { InvocationContext, InvocationEnd, Trigger } from './invocation.ts';
import type { Slot } from './slot.ts';

/** What whoever caused an invocation knows of it. */
export interface InvocationSeed {
  readonly requestId: string;
  readonly traceparent: string;
  readonly trigger: Trigger;
  /** Aborts when the caller goes away; null where nobody waits. */
  readonly signal: CancelSignal | null;
  /** Clock.monotonicMs() after which the caller itself gives up; null: the component's own timeout decides alone. */
  readonly deadlineMs: number | null;
}

export interface InvocationControl {
  /**
   * The answer has begun. In service mode this ends the timeout's hold: a stream or WebSocket may last. In function mode
   * the timeout bounds the whole invocation, for it is billed.
   */
  answered(): void;
  /** Sets the HTTP status that the usage record will carry. */
  status(status: number): void;
}

/**
 * One invocation from arrival to end: takes a slot before the deadline, aborts at the deadline or when the caller has gone,
 * releases the slot, writes the usage record. Every trigger goes through it. Implemented by `scaling/dispatcher`.
 */
export interface Dispatcher {
  /**
   * @param work carries the invocation through the slot's instance; it must not reject.
   * @returns what `work` returned, or an end with outcome `refused`, `cancelled` or `timeout` where no slot was to be had.
   */
  run<E extends InvocationEnd>(
    component: string,
    seed: InvocationSeed,
    work: (slot: Slot, context: InvocationContext, control: InvocationControl) => Promise<E>,
  ): Promise<E | InvocationEnd>;
}

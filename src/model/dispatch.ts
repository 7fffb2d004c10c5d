import type { CancelSignal } from '../base/cancel.ts';
import type { Asker, CallStep, InvocationContext, InvocationEnd, Trigger } from './invocation.ts';
import type { Slot } from './slot.ts';

/** What whoever caused an invocation knows of it. */
export interface InvocationSeed extends Asker {
  /** The call that it is; absent where no component has made it. */
  readonly call?: CallStep | null;
  readonly requestId: string;
  readonly traceparent: string;
  readonly trigger: Trigger;
  /** Aborts when the caller goes away; null where nobody waits. */
  readonly signal: CancelSignal | null;
  /** Clock.monotonicMs() after which the caller itself gives up; null: the component's own timeout decides alone. */
  readonly deadlineMs: number | null;
  /** Of the bodies that pass the gateway, so far; asked for once, at its end. Absent: it does not come through it. */
  readonly bytesIn?: number;
  readonly bytesOut?: number;
}

export interface InvocationControl {
  /**
   * The answer has begun. In service mode this ends the timeout's hold: a stream or WebSocket may last. In function mode
   * the timeout bounds the whole invocation, for it is billed.
   */
  answered(): void;
  /** Sets the HTTP status that the usage record will carry. */
  status(status: number): void;
  /** The work is done. Must be called once; what comes after the invocation was given up does no harm. */
  over(end: InvocationEnd): void;
}

/** What carries an invocation through the instance that it is given. */
export interface Carrier {
  /** A slot was had: the work begins, and must end with `control.over`. */
  begin(slot: Slot, context: InvocationContext, control: InvocationControl): void;
  /** All is over, `end` is how. Called exactly once, after `begin` or without it where no slot was to be had. */
  finished(end: InvocationEnd): void;
}

export type Work<E extends InvocationEnd> = (
  slot: Slot,
  context: InvocationContext,
  control: InvocationControl,
) => Promise<E>;

/**
 * One invocation from arrival to end: takes a slot before the deadline, aborts at the deadline or when the caller has gone,
 * releases the slot, writes the usage record. Every trigger goes through it. Implemented by `scaling/dispatcher`.
 */
export interface Dispatcher {
  /**
   * `carrier` is told when the work may begin and when all is over; where an instance is free, the first before this returns.
   * Makes no promise: this is what every request goes through.
   */
  carry(component: string, seed: InvocationSeed, carrier: Carrier): void;

  /**
   * The same with promises.
   * @param work carries the invocation through the slot's instance.
   * @returns what `work` returned, or an end with outcome `refused`, `cancelled` or `timeout` where no slot was to be had.
   */
  run<E extends InvocationEnd>(
    component: string,
    seed: InvocationSeed,
    work: Work<E>,
  ): Promise<E | InvocationEnd>;
}

import { FulcrumError, type ErrorCode } from '../base/errors.ts';
import type { BodySource } from './body.ts';
import type { HttpEnd, RequestHead, ResponseSink } from './http.ts';
import type { Invocation, InvocationContext, InvocationResult, Outcome } from './invocation.ts';

/** A chain of calls is no longer. */
export const MAX_CALL_DEPTH = 32;

/** Of a function that is marked idempotent: how often it is begun at most where its instance dies. */
export const MAX_CALL_ATTEMPTS = 3;

/** The longest time that a call graph can be had of. */
export const MAX_CALL_WINDOW_MS = 60 * 60_000;

/** In a call graph, stands for all names that are not told apart, because there are too many of them. */
export const CALL_REST = '*';

/** How a component reaches another: supplied to the runtimes by the composition root. */
export interface Caller {
  /**
   * Runs `invocation` on component `to` for component `from`. Never rejects: `thrown` carries what the caller's side throws. Where streams
   * come with the result it resolves when they have ended; what was returned is told by `onReturned` before.
   * @param parent the invocation that calls: request id, trace, chain and deadline go along; the callee's deadline is never later.
   */
  call(
    from: string,
    to: string,
    invocation: Invocation,
    parent: InvocationContext,
  ): Promise<InvocationResult>;

  /**
   * An HTTP request to component `to` through a service binding of `from`. Its head's fields are those that the caller has written: what is
   * told the callee is made of them here.
   * @param parent as of a call; its signal gives the request up, too, and is told within its abort.
   */
  fetch(from: string, to: string, order: FetchOrder, parent: InvocationContext): void;
}

/** As an HttpExchange, but for the context, which the callee gets from its caller. */
export interface FetchOrder {
  readonly head: RequestHead;
  readonly body: BodySource | null;
  readonly response: ResponseSink;
  /** Called exactly once. Where no head was told before, the caller's side throws what `end.thrown` says, else `end.error`. */
  ended(end: HttpEnd): void;
}

/** Where there is no other component. */
export const NO_CALLER: Caller = {
  call: () => Promise.reject(new FulcrumError('internal', 'No component can be called here.')),
  fetch: (_from, _to, order) =>
    order.ended({
      outcome: 'refused',
      error: new FulcrumError('internal', 'No component can be called here.'),
      cpuMs: 0,
    }),
};

/** A call that is over, as the call graph and the log see it. */
export interface CallRecord {
  readonly from: string;
  readonly to: string;
  /** Null of a request through a service binding. */
  readonly function: string | null;
  /** Within the process of a group, or from one to another. */
  readonly way: 'in-process' | 'wire';
  readonly outcome: Outcome;
  /** Null where it ended well. Of what the author's code threw: `handler-error`. */
  readonly code: ErrorCode | null;
  readonly requestId: string;
  /** 16 hex digits: the span that the call is, and that of whoever made it (W3C Trace Context). */
  readonly span: string;
  readonly parentSpan: string;
  /** 1 of the first in a chain. */
  readonly depth: number;
  /** Clock.nowMs() when it was made. */
  readonly atMs: number;
  /** Until the result was there, streams in it not included. */
  readonly durationMs: number;
  /** How often it was begun: more than once where an idempotent one was tried again. */
  readonly attempts: number;
}

/** Takes records off the call's path: never throws and never waits. */
export interface CallSink {
  record(call: CallRecord): void;
}

export const NO_CALL_SINK: CallSink = { record: () => undefined };

/** Who called whom lately. One edge for each pair of components and function. */
export interface CallGraph {
  /**
   * The time that the numbers are of, up to now: it begins with a minute, so that it is up to one longer than asked; less where the server
   * has not run so long.
   */
  readonly windowMs: number;
  readonly edges: readonly CallEdge[];
}

export interface CallEdge {
  /** {@link CALL_REST}: of all callers that are not told apart; so is `to`, and `function`. */
  readonly from: string;
  readonly to: string;
  /** Null of requests through service bindings. */
  readonly function: string | null;
  readonly count: number;
  readonly perSecond: number;
  /** Of `count`. */
  readonly failed: number;
  /** Of `count`: those that stayed in the process. */
  readonly inProcess: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

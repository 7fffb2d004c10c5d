import type { CancelSignal } from '../base/cancel.ts';
import type { FulcrumError } from '../base/errors.ts';
import type { BodySource } from './body.ts';

export type Trigger = 'route' | 'call' | 'event' | 'schedule' | 'manual';

/** How an invocation ended. `ok` includes answers with a 4xx or 5xx status that the handler chose itself. */
export type Outcome =
  | 'ok'
  | 'handler-error'
  | 'timeout'
  | 'crashed'
  | 'cancelled' // the caller went away
  | 'refused' // never reached an instance: overload, shutdown, failed start
  | 'bad-response';

/** Who asks, as far as that decides what is given. */
export interface Asker {
  /** Who asks from outside, as limits tell clients apart: an IPv4 address or an IPv6 /64; null: nobody. */
  readonly client: string | null;
  /** What keeps a client to one replica of a service; null: nothing does. */
  readonly affinityKey: string | null;
}

/** What travels with an invocation through every room and across calls. */
export interface InvocationContext {
  /** The component that is to do it; its instance may hold others of its group as well. */
  readonly component: string;
  /** The call that it is; null where no component has made it. */
  readonly call: CallStep | null;
  readonly requestId: string;
  /** W3C trace context, version 00; continued or begun by the gateway. */
  readonly traceparent: string;
  readonly trigger: Trigger;
  /** Clock.monotonicMs() at which it must be over; shrinks along a chain of calls. */
  readonly deadlineMs: number;
  /** Aborts with a FulcrumError as its reason: `client-gone`, `timeout` or `shutting-down`. */
  readonly signal: CancelSignal;
}

/** A call in a chain of them, the latest first. */
export interface CallStep {
  readonly component: string;
  /** The named function; null of a request through a service binding. */
  readonly function: string | null;
  /** Null: whoever made it was not called itself. */
  readonly by: CallStep | null;
  /** 1 of the first in the chain. */
  readonly depth: number;
}

export interface InvocationEnd {
  readonly outcome: Outcome;
  /** Set for every outcome but `ok`. */
  readonly error: FulcrumError | null;
  /** CPU time that the instance spent on it, as far as it can tell; 0 where it cannot. */
  readonly cpuMs: number;
}

/** An invocation that is no HTTP request. Payloads are opaque to the platform. */
export type Invocation =
  | {
      readonly kind: 'call';
      readonly function: string;
      readonly args: Payload;
      /** Streams and signals among the arguments, by the number that stands for them in `args`; absent: there are none. */
      readonly passed?: readonly BodySource[];
      /**
       * Told what the function has returned as soon as that is whole, before the invocation is over: it is over when the streams among it
       * are. Absent: nobody takes streams, and a result that has some is refused.
       */
      readonly onReturned?: (returned: Returned) => void;
    }
  | { readonly kind: 'scheduled'; readonly event: Payload }
  | {
      readonly kind: 'queue';
      /** `{"messages":[{"id","type","source","subject","key","time","attempt","contentType","data" | "data_base64"}, …]}`, as JSON. */
      readonly batch: Payload;
      /** Told what the handler says of a message, when it says it; absent: nobody asks. */
      readonly onSaid?: (said: MessageSaid) => void;
    };

/** What a handler has said of one of its messages; the last word on one counts. */
export interface MessageSaid {
  readonly id: string;
  readonly as: 'acked' | 'retried';
  /** Of `retried`: not before this has passed; null: as the retries' pauses are. */
  readonly afterMs: number | null;
}

/**
 * A value in one of two encodings, and only components decode either: `clone` is Node's structured-clone
 * serialisation (`node:v8`), `json` is UTF-8 JSON, for people at a command line. The answer comes in the encoding of the question.
 */
export interface Payload {
  readonly encoding: 'clone' | 'json';
  readonly bytes: Uint8Array;
}

/** What a function has returned, while the streams in it may be under way still. */
export interface Returned {
  readonly value: Payload;
  /** Streams and signals in it, by the number that stands for them. Where the instance ends before they do they fail. */
  readonly passed: readonly BodySource[];
}

export interface InvocationResult extends InvocationEnd {
  /** What the function returned; null where it did not end well. */
  readonly value: Payload | null;
  /** What the function threw, for the caller's side to throw again; null where it threw nothing. */
  readonly thrown: ThrownError | null;
}

/** An error that crosses a boundary: name, message, code and cause are kept. */
export interface ThrownError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  readonly code: string | null;
  readonly cause: ThrownError | null;
  /** Its `retryAfterS`, where it has such: when to try again, in seconds. */
  readonly retryAfterS?: number | null;
}

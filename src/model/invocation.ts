import type { CancelSignal } from '../base/cancel.ts';
import type { FulcrumError } from '../base/errors.ts';

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
  readonly requestId: string;
  /** W3C trace context, version 00; continued or begun by the gateway. */
  readonly traceparent: string;
  readonly trigger: Trigger;
  /** Clock.monotonicMs() at which it must be over; shrinks along a chain of calls. */
  readonly deadlineMs: number;
  /** Aborts with a FulcrumError as its reason: `client-gone`, `timeout` or `shutting-down`. */
  readonly signal: CancelSignal;
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
  | { readonly kind: 'call'; readonly function: string; readonly args: Payload }
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

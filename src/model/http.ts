import type { BodySource } from './body.ts';
import type { InvocationContext, InvocationEnd, ThrownError } from './invocation.ts';

/** Header fields as they came: name, value, name, value, … with the sender's letter case and order, repeats kept. */
export type RawHeaders = readonly string[];

export interface RequestHead {
  readonly method: string;
  /** Absolute URL as the client meant it, behind trusted proxies too: scheme, host, path and query. */
  readonly url: string;
  /** Path and query as the component must see them (after prefix stripping). */
  readonly target: string;
  /** End-to-end fields only, with `X-Forwarded-*`, `traceparent` and `X-Request-Id` set by the gateway. */
  readonly headers: RawHeaders;
  /** The same as one text with NUL between, where whoever made the head has it so. */
  readonly fields?: string;
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: RawHeaders;
}

/** Where an instance's answer goes. Calls come in the order head, data…, end; after `end` or a failed exchange none follows. */
export interface ResponseSink {
  head(head: ResponseHead): void;
  /**
   * `chunk` is a view that holds until this returns: what is kept must be copied.
   * @returns false when the sink's buffer is full: the source should wait for `onDrain`. The chunk is taken either way.
   */
  data(chunk: Uint8Array): boolean;
  end(): void;
  /** The whole answer at once: what `head`, `data` and `end` would do, for less. */
  answer?(head: ResponseHead, body: Uint8Array): void;
  /** Registers the one listener that is called each time a full buffer has emptied. */
  onDrain(resume: () => void): void;
}

/** How a request ended. */
export interface HttpEnd extends InvocationEnd {
  /** What the author's code threw, for another component that has asked to throw again; absent: it threw nothing, or cannot say. */
  readonly thrown?: ThrownError | null;
}

/** One HTTP request on its way through an instance. */
export interface HttpExchange {
  readonly context: InvocationContext;
  readonly head: RequestHead;
  /** Null where the request has no body. */
  readonly body: BodySource | null;
  readonly response: ResponseSink;
  /** Called exactly once, when the invocation is over, `waitUntil` included. */
  ended(end: HttpEnd): void;
}

import type { FulcrumError } from '../base/errors.ts';
import type { InvocationContext, InvocationEnd } from './invocation.ts';

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

/** Bytes that arrive, with back-pressure. It has one reader and begins to flow when that is given. */
export interface BodySource {
  /** Bytes to come where the sender said so; null where it is not known. */
  readonly lengthBytes: number | null;
  read(reader: BodyReader): void;
  pause(): void;
  resume(): void;
  /** The reader wants no more. What still arrives is thrown away. */
  cancel(): void;
}

export interface BodyReader {
  /** `chunk` is a view that holds until this returns: what is kept must be copied. */
  data(chunk: Uint8Array): void;
  end(): void;
  /** The body broke off: client gone, too large, too slow. Nothing follows. */
  fail(error: FulcrumError): void;
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

/** One HTTP request on its way through an instance. */
export interface HttpExchange {
  readonly context: InvocationContext;
  readonly head: RequestHead;
  /** Null where the request has no body. */
  readonly body: BodySource | null;
  readonly response: ResponseSink;
  /** Called exactly once, when the invocation is over, `waitUntil` included. */
  ended(end: InvocationEnd): void;
}

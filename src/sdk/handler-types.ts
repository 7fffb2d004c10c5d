/**
 * A component's environment: the `env` of the app and of the component, secrets filled in, and what can be done from it. A name that is given as the
 * generic is known to be there: `Env<'CURRENCY' | 'PAYMENT_KEY'>`, and with service bindings `Env<'CURRENCY', 'catalog'>`.
 *
 * It has a binding for each module and command of the app that the component may call (all of them, or its `calls`), by name. A variable of
 * the same name wins, and so does `events`: `binding('events')` of 'fulcrum' reaches such a component. Neither bindings nor
 * `events` are among what is listed of it (`Object.keys`, spread, JSON).
 */
export type Env<Name extends string = never, Binding extends string = never> = {
  readonly [name: string]: string | undefined;
} & {
  readonly [N in Name]: string;
} & {
  readonly [B in Binding]: ServiceBinding;
} & {
  /** The app's events. */
  readonly events: EventPublisher;
};

/** Another component of the app, as something to send HTTP requests to. */
export interface ServiceBinding {
  /**
   * Sends a request to the component's `fetch` handler, or to the program of a command; no network is between. Works as `fetch` does, but for this:
   *
   * - A relative URL (`'/items/A-1'`) is one of `http://<component>/`. The callee sees the URL as it is written here, whatever host it names.
   * - Redirects are answers like any other: none is followed, and `redirect: 'error'` rejects where one comes.
   * - Nothing is decoded or added: what the callee encodes (`Content-Encoding`) arrives so, and the request has the headers that are
   *   written here, with the request id and the trace. What concerns a connection (`Connection`, `Transfer-Encoding`, `Upgrade`, …) is dropped.
   * - The request is never sent again by itself.
   *
   * Bodies are streamed both ways. The request ends with the invocation that makes it, with its `signal`, and where the answer's body is cancelled.
   *
   * Rejects with what the callee's handler throws before it answers (name, message, code and cause), with the reason of the signal, or with
   * `call-unknown-component`, `call-not-allowed`, `call-too-deep`, `call-too-large`, `handler-missing`, `bad-response`, `timeout`, `instance-crashed`,
   * `overloaded`, `rate-limited`, `switched-off`, or `outside-fulcrum` where the code does not run inside an app. What goes wrong after that errors the body.
   */
  readonly fetch: (input: Request | string | URL, init?: RequestInit) => Promise<Response>;
}

/** How a component publishes events. */
export interface EventPublisher {
  /**
   * Publishes an event. Resolves when it is kept, so that neither a crash nor a loss of power takes it away, and has been given to every component
   * that takes its type.
   *
   * ```ts
   * await env.events.publish('order.paid', { order: 'o-1', cents: 1990 }, { key: 'o-1' });
   * ```
   *
   * Rejects with `event-invalid`, `event-unmatched`, `store-failed` (it is not kept: try again) or `outside-fulcrum`.
   *
   * @param type such as `order.paid`. @param data what JSON can say, or bytes; 1 MB at most.
   */
  readonly publish: (type: string, data?: unknown, options?: PublishOptions) => Promise<PublishedEvent>;
}

export interface PublishOptions {
  /** Events of one key reach each subscriber in the order in which they were published, one at a time. Default: in any order. */
  key?: string | undefined;
  /** Holds it back, up to 365d: `'30s'`, or milliseconds. Default: not at all. */
  delay?: string | number | undefined;
  /** A second event of this key within the app's `dedupeWindow` is not published again. Default: each one is. */
  dedupe?: string | undefined;
  /** What it is about, in words of the source: a CloudEvents `subject`. */
  subject?: string | undefined;
  /** Of bytes. Default: `application/octet-stream`. */
  contentType?: string | undefined;
}

export interface PublishedEvent {
  readonly id: string;
  /** Whether `dedupe` has kept it from being published again; `id` is the first one's then. */
  readonly duplicate: boolean;
}

/** What a handler knows of its invocation, besides what it is given to do. */
export interface Context {
  /** Stands in the log's lines, in the answer's `X-Request-Id` and in error answers; kept across calls between components. */
  readonly requestId: string;
  /** The name of the component that runs. */
  readonly component: string;
  /** Aborts when the caller goes away, the timeout passes or the instance must end. */
  readonly signal: AbortSignal;
  /**
   * Lets work go on after the answer: the invocation ends, and its instance may, only when `promise` has settled or the
   * timeout has passed. A rejection is logged.
   */
  waitUntil(promise: Promise<unknown>): void;
  /** Milliseconds until the timeout ends this invocation; 0 when it has passed. */
  remainingMs(): number;
}

/** A tick of the component's schedule. */
export interface ScheduledEvent {
  /** The cron line that ticked, or `@every 30s`, `@at …`. */
  readonly cron: string;
  /** The schedule's name in the config. */
  readonly name: string;
  /** 1 at the first. */
  readonly attempt: number;
  /** When the tick was due, in ms since the epoch; a tick that was missed runs later than that. */
  readonly scheduledTime: number;
}

/** One event. It is delivered at least once: the same `id` may come again. */
export interface QueueMessage<Data = unknown> {
  readonly id: string;
  /** The event's type, as in the component's `events`. */
  readonly type: string;
  /** Who published it: `/components/checkout`, or what an outside source calls itself. */
  readonly source: string;
  readonly subject: string | null;
  readonly key: string | null;
  /** What was published: from JSON, or a Uint8Array. */
  readonly data: Data;
  readonly contentType: string;
  /** When what it tells of has happened, in ms since the epoch. */
  readonly time: number;
  /** 1 at the first delivery. */
  readonly attempt: number;
  /** The trace in which it was published (W3C Trace Context); null: it names none. Of a message that comes alone calls go on with that by themselves. */
  readonly traceparent: string | null;
  /** This message is done with, even if the handler fails later, or its process ends. */
  ack(): void;
  /**
   * This message is to be delivered again, even if the handler ends well.
   * @param options `delay`: not before that has passed, `'30s'` or milliseconds. Default: as the retries' pauses are.
   */
  retry(options?: { readonly delay?: string | number | undefined }): void;
}

/** Messages that were delivered together. A handler that ends well acknowledges all that it said nothing about. */
export interface QueueBatch<Data = unknown> {
  readonly messages: readonly QueueMessage<Data>[];
}

/** A client's WebSocket, as the hooks of its component see it. */
export interface ComponentWebSocket {
  readonly state: 'connecting' | 'open' | 'closing' | 'closed';
  /** The subprotocol that both have agreed on; empty where there is none. */
  readonly protocol: string;
  /** Bytes that were sent here and have not left the instance. */
  readonly bufferedBytes: number;
  /**
   * Sends a message: text, or bytes as a binary one.
   * @returns false where 256 KB wait to be sent, because the client reads more slowly: the message is taken, and what follows
   * should wait for the `drain` hook. False as well, and nothing is sent, where the socket is no longer open.
   */
  send(data: string | Uint8Array | ArrayBuffer): boolean;
  /** Asks whether the client is still there; its answer needs no hook. Pings of the client's are answered without your doing. */
  ping(): void;
  /** @param code 1000, or 3000 to 4999 (RFC 6455, 7.4). Default 1000. @param reason at most 123 bytes. */
  close(code?: number, reason?: string): void;
}

/** What a component does with a WebSocket. A hook that throws is logged, and the socket closed with 1011. */
export interface WebSocketHooks {
  /** The subprotocol to agree on, where the client offers it. */
  readonly protocol?: string;
  open?(socket: ComponentWebSocket): unknown;
  /**
   * A message: a string, or the bytes of a binary one; 16 MB at most, a larger one closes the socket with 1009. Where this returns
   * a promise, the next message waits for it, and the client slows down with it.
   */
  message?(socket: ComponentWebSocket, data: string | Uint8Array): unknown;
  /** After `send` returned false: all has been sent. */
  drain?(socket: ComponentWebSocket): unknown;
  /** The connection is over. @param code 1005 where the client gave none, 1006 where it left without a word. */
  close?(socket: ComponentWebSocket, code: number, reason: string): unknown;
}

/**
 * The default export of a component's module. Which handlers it has decides what it can be invoked by.
 *
 * ```ts
 * export default {
 *   async fetch(request, env, ctx) { return new Response('hello'); },
 * } satisfies ComponentModule;
 * ```
 */
export interface ComponentModule<E extends Env = Env> {
  /**
   * Runs once when the module has been loaded, before any instance is forked from it: for what all may share and nobody
   * changes, such as tables, templates and compiled schemas. It must leave nothing open (no connection, timer, server,
   * file), and what it draws at random is the same in every instance. A named export `onLoad` does as well.
   */
  onLoad?(env: E): unknown;
  /**
   * Runs in each instance before its first invocation: for connections, timers, seeds and ids. Where it fails the instance
   * does not start. A named export `onStart` does as well.
   */
  onStart?(env: E): unknown;
  /** Answers an HTTP request: the component's `routes`. */
  fetch?(request: Request, env: E, ctx: Context): Response | Promise<Response>;
  /**
   * Answers a client that asks for a WebSocket on the component's `routes`: with hooks, to which the connection then belongs, or
   * with a Response, which refuses it. The invocation lasts as long as the connection, and takes one of the instance's places
   * (`concurrency`) for that time; in function mode it is closed with 1001 shortly before the `timeout`.
   */
  websocket?(
    request: Request,
    env: E,
    ctx: Context,
  ): WebSocketHooks | Response | Promise<WebSocketHooks | Response>;
  /** Does what is due: the component's `schedule`. */
  scheduled?(event: ScheduledEvent, env: E, ctx: Context): unknown;
  /** Takes events: the component's `events`. */
  queue?(batch: QueueBatch, env: E, ctx: Context): unknown;
}

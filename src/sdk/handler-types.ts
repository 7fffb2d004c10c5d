/**
 * A component's environment: the `env` of the app and of the component, secrets filled in. A name that is given as the
 * generic is known to be there: `Env<'CURRENCY' | 'PAYMENT_KEY'>`.
 */
export type Env<Name extends string = never> = { readonly [name: string]: string | undefined } & {
  readonly [N in Name]: string;
};

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
  /** The cron line that ticked. */
  readonly cron: string;
  /** When the tick was due, in ms since the epoch; a tick that was missed runs later than that. */
  readonly scheduledTime: number;
}

/** One event. It is delivered at least once: the same `id` may come again. */
export interface QueueMessage<Data = unknown> {
  readonly id: string;
  /** The event's type, as in the component's `events`. */
  readonly type: string;
  readonly data: Data;
  /** When it was published, in ms since the epoch. */
  readonly time: number;
  /** 1 at the first delivery. */
  readonly attempt: number;
  /** This message is done with, even if the handler fails later. */
  ack(): void;
  /** This message is to be delivered again, even if the handler ends well. */
  retry(): void;
}

/** Messages that were delivered together. A handler that ends well acknowledges all that it said nothing about. */
export interface QueueBatch<Data = unknown> {
  readonly messages: readonly QueueMessage<Data>[];
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
  /** Answers an HTTP request: the component's `routes`. */
  fetch?(request: Request, env: E, ctx: Context): Response | Promise<Response>;
  /** Does what is due: the component's `schedule`. */
  scheduled?(event: ScheduledEvent, env: E, ctx: Context): unknown;
  /** Takes events: the component's `events`. */
  queue?(batch: QueueBatch, env: E, ctx: Context): unknown;
}

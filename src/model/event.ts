import { FulcrumError } from '../base/errors.ts';
import { MAX_EVENT_BYTES, MAX_EVENT_DELAY_MS, MAX_EVENT_KEY_LENGTH } from '../base/event-limits.ts';

export { MAX_EVENT_BYTES, MAX_EVENT_DELAY_MS, MAX_EVENT_KEY_LENGTH };

/** An event as whoever publishes it gives it. */
export interface EventOrder {
  /** As `order.paid`: letters, digits and `. _ : / -`, at most 100. */
  readonly type: string;
  /** At most {@link MAX_EVENT_BYTES}. Where `contentType` is JSON (its subtype is `json`, or ends in `+json`): valid JSON, as UTF-8. */
  readonly data: Uint8Array;
  readonly contentType: string;
  /** Events of one key reach each subscriber in the order in which they were published, one at a time; null: in any order. At most 256 characters. */
  readonly key: string | null;
  /** For how long it is held back before it is delivered. 0: not at all; at most 365 days. */
  readonly delayMs: number;
  /** A second event of this key within the app's window is not published again; null: each one is. At most 256 characters. */
  readonly dedupe: string | null;
  /** Its CloudEvents `id`, where it came with one; null: it is given one. */
  readonly id: string | null;
  /** Its CloudEvents `source`; null: the component's, `/components/NAME`. */
  readonly source: string | null;
  readonly subject: string | null;
  /** When what it tells of has happened, epoch ms; null: now. */
  readonly timeMs: number | null;
  /** CloudEvents extension attributes, by name. */
  readonly extensions: Readonly<Record<string, string | number | boolean>>;
}

/** What somebody has who has published: the event is kept, and outlives a loss of power. */
export interface Published {
  /** Unguessable; what `fulcrum events show` takes. Of a duplicate, that of the first one. */
  readonly id: string;
  readonly duplicate: boolean;
}

/** Takes events. Implemented by `events/`. */
export interface Publisher {
  /**
   * Resolves when they are kept, all or none.
   * @param from the component that publishes; null: somebody from outside.
   * Rejects with `event-invalid`, `event-unmatched` (nobody takes the type, and the app refuses such), `call-too-large`, `store-failed` or
   * `shutting-down`.
   */
  publish(from: string | null, events: readonly EventOrder[]): Promise<readonly Published[]>;
}

/** Where nothing takes events. */
export const NO_PUBLISHER: Publisher = {
  publish: () =>
    Promise.reject(new FulcrumError('shutting-down', 'Nothing takes events here.', { retryAfterS: 1 })),
};

/** Which types of events a component takes: `order.paid`, `order.*` (all that begin with `order.`), or `*`. */
export function takesType(patterns: readonly string[], type: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type,
  );
}

/**
 * Kinds of work that is kept until it is done:
 *
 *   event     one of `events`, for a `queue` handler or, of a command, as a CloudEvent over HTTP
 *   schedule  a tick, for a `scheduled` handler; `type` is the schedule's name
 *   call      an asynchronous call of a named function, or of a handler by hand; `type` says which (`call:NAME`, `scheduled`, `queue`)
 *   request   an asynchronous HTTP request; `type` is `METHOD target`
 */
export type WorkKind = 'event' | 'schedule' | 'call' | 'request';

/** Why an attempt did not go well. */
export interface AttemptError {
  /** A code of `base/errors`. */
  readonly code: string;
  readonly message: string;
}

/** One attempt that did not go well. */
export interface Attempt {
  /** 1, 2, … */
  readonly number: number;
  readonly beganAtMs: number;
  readonly tookMs: number;
  readonly error: AttemptError;
}

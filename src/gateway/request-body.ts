import type { IncomingMessage } from 'node:http';
import { formatBytes } from '../base/bytes.ts';
import { formatDuration } from '../base/duration.ts';
import { FulcrumError } from '../base/errors.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { BodyReader, BodySource } from '../model/http.ts';

/**
 *   unread ──read()──▶ flowing ⇄ paused ──last byte──▶ ended
 *     │                  └── too large, too slow, broken, client gone ──▶ failed
 *     └──────────────────── cancel(), over() ──▶ discarding
 */
type BodyState = 'unread' | 'flowing' | 'paused' | 'ended' | 'failed' | 'discarding';

export interface RequestBodyOptions {
  readonly request: IncomingMessage;
  readonly lengthBytes: number | null;
  readonly limitBytes: number;
  readonly idleMs: number;
  readonly clock: Clock;
  /** Called before the first byte is wanted: the client may wait for `100 Continue`. */
  readonly wanted: () => void;
  /** The body broke off for a reason that the client must be told. */
  readonly failed: (error: FulcrumError) => void;
}

/** A request's body on its way to an instance: counted, timed while somebody wants it, and never held in memory whole. */
export class RequestBody implements BodySource {
  readonly lengthBytes: number | null;
  readonly #options: RequestBodyOptions;
  #state: BodyState = 'unread';
  #reader: BodyReader | null = null;
  #error: FulcrumError | null = null;
  #receivedBytes = 0;
  #lastMs = 0;
  #idle: Timer | null = null;

  constructor(options: RequestBodyOptions) {
    this.#options = options;
    this.lengthBytes = options.lengthBytes;
  }

  read(reader: BodyReader): void {
    if (this.#error !== null) {
      const error = this.#error;
      queueMicrotask(() => reader.fail(error));
      return;
    }
    if (this.#state !== 'unread') return;
    this.#reader = reader;
    this.#enter('flowing');
    this.#options.wanted();
    this.#lastMs = this.#options.clock.monotonicMs();
    this.#watch(this.#options.idleMs);
    const { request } = this.#options;
    request.on('data', (chunk: Buffer) => this.#data(chunk));
    request.on('end', () => this.#end());
  }

  pause(): void {
    if (this.#state !== 'flowing') return;
    this.#enter('paused');
    this.#options.request.pause();
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#enter('flowing');
    this.#lastMs = this.#options.clock.monotonicMs();
    this.#options.request.resume();
  }

  cancel(): void {
    if (this.#state === 'ended' || this.#state === 'failed' || this.#state === 'discarding') return;
    const wasUnread = this.#state === 'unread';
    this.#enter('discarding');
    // A client that waits for `100 Continue` and never gets it sends nothing that could be thrown away.
    if (wasUnread) this.#options.request.on('data', (chunk: Buffer) => this.#data(chunk));
    else this.#options.request.resume();
  }

  /** Ends the body with `error`: its reader is told, and nothing follows. */
  fail(error: FulcrumError): void {
    if (this.#state === 'ended' || this.#state === 'failed') return;
    const reader = this.#state === 'discarding' ? null : this.#reader;
    this.#error = error;
    this.#enter('failed');
    reader?.fail(error);
  }

  #data(chunk: Buffer): void {
    if (this.#state === 'failed') return;
    const { limitBytes, clock, request } = this.#options;
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > limitBytes) {
      if (this.#state === 'discarding') request.pause();
      else this.#break(tooLarge(limitBytes));
      return;
    }
    if (this.#state !== 'flowing' && this.#state !== 'paused') return;
    this.#lastMs = clock.monotonicMs();
    this.#reader!.data(chunk);
  }

  #end(): void {
    if (this.#state !== 'flowing' && this.#state !== 'paused') return;
    this.#enter('ended');
    this.#reader!.end();
  }

  #break(error: FulcrumError): void {
    this.fail(error);
    this.#options.failed(error);
  }

  /** One timer for the whole body instead of one for each chunk: it looks at when the last one came. */
  #watch(delayMs: number): void {
    const { clock, idleMs } = this.#options;
    this.#idle = clock.after(delayMs, () => {
      const idleForMs = clock.monotonicMs() - this.#lastMs;
      if (this.#state === 'paused') this.#watch(idleMs);
      else if (idleForMs < idleMs) this.#watch(idleMs - idleForMs);
      else this.#break(tooSlow(idleMs));
    });
  }

  #enter(state: BodyState): void {
    this.#state = state;
    if (state === 'ended' || state === 'failed' || state === 'discarding') {
      this.#idle?.cancel();
      this.#idle = null;
    }
  }
}

export function tooLarge(limitBytes: number): FulcrumError {
  return new FulcrumError(
    'body-too-large',
    `The request body may have ${formatBytes(limitBytes)} at most on this route.`,
  );
}

function tooSlow(idleMs: number): FulcrumError {
  return new FulcrumError(
    'body-timeout',
    `No part of the request body arrived for ${formatDuration(idleMs)}.`,
  );
}

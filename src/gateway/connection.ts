import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { FulcrumError } from '../base/errors.ts';
import type { Clock } from '../base/clock.ts';

/** A request that is answered on a connection. */
export interface InFlight {
  /** The connection is gone, and `error` says why. */
  gone(error: FulcrumError): void;
  /** What arrives is no HTTP any more, and this request's own body may have been cut short by it. */
  broken(error: FulcrumError): void;
  /** Calls `then` when its answer has been sent whole. */
  onAnswered(then: () => void): void;
}

/**
 *   open ──close()──▶ closing (no further request) ──linger()──▶ lingering (answered; input thrown away) ──▶ gone
 *     └────────────────────────── the socket closes ──────────────────────────────────────────────────────▶
 */
export type ConnectionState = 'open' | 'closing' | 'lingering' | 'gone';

/** One client's connection: knows what is in flight on it, and ends without losing the last answer. */
export class Connection {
  readonly socket: Socket;
  /** The peer's address; kept, for a closed socket does not tell it any more. */
  readonly peer: string;
  readonly #clock: Clock;
  readonly #lingerMs: number;
  readonly #inFlight = new Set<InFlight>();
  /** The request that came last, whose answer is sent last; it may be done while an earlier one is not. */
  #latest: InFlight | null = null;
  #state: ConnectionState = 'open';

  constructor(socket: Socket, clock: Clock, lingerMs: number) {
    this.socket = socket;
    this.peer = socket.remoteAddress ?? '0.0.0.0';
    this.#clock = clock;
    this.#lingerMs = lingerMs;
    // Node destroys the socket after its last answer. With input unread the kernel then sends a reset, and the client
    // loses an answer that it has not read yet, such as 413.
    socket.destroySoon = () => this.linger();
    socket.once('close', () => this.#gone());
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  begin(request: InFlight): void {
    this.#inFlight.add(request);
    this.#latest = request;
  }

  done(request: InFlight): void {
    this.#inFlight.delete(request);
    if (this.#inFlight.size === 0) this.#latest = null;
  }

  /** The request that came last, while any is in flight: the one whose body may still be arriving. */
  get latest(): InFlight | null {
    return this.#latest;
  }

  /** Takes no further request; what is in flight is answered, and what has been answered is sent. */
  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    if (this.#latest !== null) this.#lingerAfter(this.#latest);
    else if (this.socket.writableLength === 0) this.socket.destroy();
    else this.linger();
  }

  /** Whether the connection ends with the answer to `request`. */
  endsWith(request: InFlight): boolean {
    return this.#state !== 'open' && this.#latest === request;
  }

  /** Sends what is written, tells the client that no more follows, and throws away for a while what it still sends. */
  linger(): void {
    if (this.#state === 'gone' || this.#state === 'lingering') return;
    this.#state = 'lingering';
    this.socket.end();
    const timer = this.#clock.after(this.#lingerMs, () => this.socket.destroy());
    this.socket.once('close', () => timer.cancel());
  }

  /** Takes and throws away what is left of a request's body, for a bounded time. */
  discard(request: IncomingMessage): void {
    if (request.complete || this.#state === 'gone') return;
    request.resume();
    this.#clock.after(this.#lingerMs, () => {
      if (!request.complete) this.socket.destroy();
    });
  }

  /** The head of `request`'s answer may have promised that the connection stays, and another request may have come since. */
  #lingerAfter(request: InFlight): void {
    request.onAnswered(() => {
      if (this.#latest === null || this.#latest === request) this.linger();
      else this.#lingerAfter(this.#latest);
    });
  }

  #gone(): void {
    this.#state = 'gone';
    if (this.#inFlight.size === 0) return;
    const error = new FulcrumError('client-gone', 'The client closed the connection.');
    for (const request of this.#inFlight) request.gone(error);
  }
}

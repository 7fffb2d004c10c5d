import type { Duplex } from 'node:stream';
import { FrameTracker } from './websocket-frames.ts';

/**
 * One direction of an upgraded connection, with back-pressure and half-close:
 *
 *   open ──leave()──▶ leaving ──end of a frame──▶ left
 *     └── the sender's own close frame ──▶ closed
 *
 * In `left` the receiver has been sent a farewell; nothing may follow a close frame (RFC 6455 §5.5.1), so that what
 * still comes is thrown away, but for the sender's close frame, which is told.
 */
export class TunnelDirection {
  readonly #from: Duplex;
  readonly #to: Duplex;
  /** Null where the connection speaks another protocol than WebSocket. */
  readonly #frames: FrameTracker | null;
  readonly #farewell: Uint8Array;
  readonly #onClosed: () => void;
  #state: 'open' | 'leaving' | 'left' | 'closed' = 'open';

  /** @param onClosed the sender's close frame has come and was not passed on. */
  constructor(
    from: Duplex,
    to: Duplex,
    options: { webSocket: boolean; farewell: Uint8Array; onClosed: () => void },
  ) {
    this.#from = from;
    this.#to = to;
    this.#frames = options.webSocket ? new FrameTracker() : null;
    this.#farewell = options.farewell;
    this.#onClosed = options.onClosed;
  }

  /** Begins to carry; `early` is what had been read already. */
  open(early: Uint8Array): void {
    this.#from.on('data', (chunk: Buffer) => this.#push(chunk));
    this.#from.once('end', () => {
      // Behind a farewell the receiver answers first; its answer closes it, or the end of its time.
      if (this.#state !== 'left') this.#to.end();
    });
    this.#to.on('drain', () => this.#from.resume());
    if (early.length > 0) this.#push(early);
  }

  /** Puts the farewell behind the frame that is under way. Idempotent. */
  leave(): void {
    if (this.#state !== 'open' || this.#frames === null) return;
    this.#state = 'leaving';
    if (this.#frames.position === 'between') this.#sendFarewell();
  }

  /** Whether the sender's own close frame has gone through. */
  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  #push(chunk: Uint8Array): void {
    if (this.#frames === null || this.#state === 'closed') return this.#write(chunk);
    for (let offset = 0; offset < chunk.length;) {
      offset = this.#frames.next(chunk, offset);
      if (this.#frames.position !== 'between') break;
      if (this.#frames.isClose) {
        if (this.#state === 'left') return this.#onClosed();
        this.#state = 'closed';
        break;
      }
      if (this.#state === 'leaving') {
        this.#write(chunk.subarray(0, offset));
        this.#sendFarewell();
      }
    }
    if (this.#state !== 'left') this.#write(chunk);
  }

  #sendFarewell(): void {
    this.#state = 'left';
    this.#write(this.#farewell);
  }

  #write(chunk: Uint8Array): void {
    if (chunk.length === 0 || !this.#to.writable) return;
    if (!this.#to.write(chunk)) this.#from.pause();
  }
}

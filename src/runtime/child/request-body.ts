import type { WireStream } from '../wire/stream.ts';

/**
 *   open ──last byte──▶ whole ──all read──▶ closed
 *     └── broken off, given up, not wanted any more ──▶ closed
 */
type State = 'open' | 'whole' | 'closed';

/** A request's body on its way from the wire to the handler. What waits here is never more than a stream's window. */
export class RequestBody {
  readonly #wire: WireStream;
  readonly #stop: () => void;
  #waiting: Uint8Array[] = [];
  #state: State = 'open';
  /** Why it broke off, for whoever asks later. */
  #failure: { readonly error: unknown } | null = null;
  /** Set while a stream reads it. */
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #pulled: (() => void) | null = null;
  /** Set while all of it is gathered. */
  #gathering: { resolve(bytes: Uint8Array): void; reject(error: unknown): void } | null = null;

  /** @param stop tells the other end that no more is wanted. */
  constructor(wire: WireStream, stop: () => void) {
    this.#wire = wire;
    this.#stop = stop;
  }

  /** All of it, once. Rejects with what it breaks off with. */
  gather(): Promise<Uint8Array> {
    if (this.#failure !== null) return Promise.reject(this.#failure.error);
    if (this.#state === 'whole') return Promise.resolve(this.#takeAll());
    return new Promise((resolve, reject) => {
      this.#gathering = { resolve, reject };
      for (const chunk of this.#waiting) this.#wire.consumed(chunk.length);
    });
  }

  /** As a stream, once. Nothing is asked for before that is read. */
  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          if (this.#failure !== null) controller.error(this.#failure.error);
        },
        pull: () => this.#pull(),
        cancel: () => this.cancel(),
      },
      { highWaterMark: 0 },
    );
  }

  data(chunk: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#waiting.push(Buffer.from(chunk));
    if (this.#gathering !== null) this.#wire.consumed(chunk.length);
    else this.#deliver();
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'whole';
    if (this.#gathering !== null) this.#gathering.resolve(this.#takeAll());
    else if (this.#controller !== null) this.#deliver();
  }

  /** It has broken off: reading it rejects with `error`. */
  fail(error: unknown): void {
    if (this.#state === 'closed') return;
    this.#close();
    this.#failure = { error };
    this.#gathering?.reject(error);
    this.#controller?.error(error);
  }

  cancel(): void {
    if (this.#state === 'closed') return;
    const whole = this.#state === 'whole';
    this.#close();
    if (!whole) this.#stop();
  }

  #takeAll(): Uint8Array {
    const pieces = this.#waiting;
    this.#close();
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  #pull(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pulled = resolve;
    this.#deliver();
    return promise;
  }

  #deliver(): void {
    const chunk = this.#waiting[0];
    if (chunk !== undefined && this.#pulled !== null) {
      this.#waiting.shift();
      this.#wire.consumed(chunk.length);
      this.#controller!.enqueue(chunk);
      this.#settle();
    }
    if (this.#state !== 'whole' || this.#waiting.length > 0) return;
    this.#close();
    this.#controller?.close();
  }

  #close(): void {
    this.#state = 'closed';
    this.#waiting = [];
    this.#settle();
  }

  #settle(): void {
    const resolve = this.#pulled;
    this.#pulled = null;
    resolve?.();
  }
}

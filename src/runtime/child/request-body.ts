import type { WireStream } from '../wire/stream.ts';

/** A request's body on its way from the wire to the handler. What waits here is never more than a stream's window. */
export class RequestBody {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #wire: WireStream;
  readonly #stop: () => void;
  #waiting: Uint8Array[] = [];
  #state: 'open' | 'whole' | 'closed' = 'open';
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #pulled: (() => void) | null = null;

  /** @param stop tells the other end that no more is wanted. */
  constructor(wire: WireStream, stop: () => void) {
    this.#wire = wire;
    this.#stop = stop;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.cancel(),
      },
      // Nothing is asked for before the handler reads.
      { highWaterMark: 0 },
    );
  }

  data(chunk: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#waiting.push(chunk);
    this.#deliver();
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'whole';
    this.#deliver();
  }

  /** It has broken off: reading it rejects with `error`. */
  fail(error: unknown): void {
    if (this.#state === 'closed') return;
    this.#close();
    this.#controller.error(error);
  }

  cancel(): void {
    if (this.#state === 'closed') return;
    const whole = this.#state === 'whole';
    this.#close();
    if (!whole) this.#stop();
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
      this.#controller.enqueue(chunk);
      this.#settle();
    }
    if (this.#state !== 'whole' || this.#waiting.length > 0) return;
    this.#close();
    this.#controller.close();
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

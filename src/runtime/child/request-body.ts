import { LONG_WINDOW_BYTES, WINDOW_BYTES } from '../wire/limits.ts';
import type { WireStream } from '../wire/stream.ts';
import { GatheredBody } from './gathered-body.ts';
import { youngCopy } from './young-memory.ts';

/**
 *   open ──last byte──▶ whole ──all read──▶ closed
 *     └── broken off, given up, not wanted any more ──▶ closed
 */
type State = 'open' | 'whole' | 'closed';

interface Gathering {
  readonly gathered: GatheredBody;
  resolve(bytes: Uint8Array): void;
  reject(error: unknown): void;
}

/** So many bodies of an instance may have a long window at a time: what waits in one counts against the instance's memory. */
const MAX_LONG_WINDOWS = 4;
let longWindows = 0;

/** A request's body on its way from the wire to the handler. What waits here is never more than a stream's window. */
export class RequestBody {
  readonly #wire: WireStream;
  readonly #stop: () => void;
  readonly #expectedBytes: () => number | null;
  #waiting: Uint8Array[] = [];
  #state: State = 'open';
  #window: 'first' | 'long' = 'first';
  #consumedBytes = 0;
  /** Why it broke off, for whoever asks later. */
  #failure: { readonly error: unknown } | null = null;
  /** Set while a stream reads it. */
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #pulled: (() => void) | null = null;
  /** Set while all of it is gathered. */
  #gathering: Gathering | null = null;

  /**
   * @param stop tells the other end that no more is wanted.
   * @param expectedBytes what it is said to have.
   */
  constructor(wire: WireStream, stop: () => void, expectedBytes: () => number | null) {
    this.#wire = wire;
    this.#stop = stop;
    this.#expectedBytes = expectedBytes;
  }

  /** All of it, once, to be given back to the memory of bodies. Rejects with what it breaks off with. */
  gather(): Promise<Uint8Array> {
    if (this.#failure !== null) return Promise.reject(this.#failure.error);
    const gathered = new GatheredBody(this.#expectedBytes);
    for (const chunk of this.#waiting) gathered.add(chunk);
    if (this.#state === 'whole') {
      this.#close();
      return Promise.resolve(gathered.take());
    }
    return new Promise((resolve, reject) => {
      this.#gathering = { gathered, resolve, reject };
      for (const chunk of this.#waiting) this.#consumed(chunk.length);
      this.#waiting = [];
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
    if (this.#gathering !== null) {
      this.#gathering.gathered.add(chunk);
      this.#consumed(chunk.length);
      return;
    }
    this.#waiting.push(youngCopy(chunk));
    this.#deliver();
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'whole';
    if (this.#gathering !== null) {
      this.#close();
      this.#gathering.resolve(this.#gathering.gathered.take());
    } else if (this.#controller !== null) {
      this.#deliver();
    }
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

  #consumed(bytes: number): void {
    this.#wire.consumed(bytes);
    this.#consumedBytes += bytes;
    if (this.#window === 'first' && this.#consumedBytes >= WINDOW_BYTES / 2) this.#widen();
  }

  /** It is read and turns out to be long: more of it may be on its way, so that the client need not stop and go. */
  #widen(): void {
    if (this.#state !== 'open' || longWindows >= MAX_LONG_WINDOWS) return;
    if ((this.#expectedBytes() ?? 0) <= LONG_WINDOW_BYTES) return;
    this.#window = 'long';
    longWindows++;
    this.#wire.grant(LONG_WINDOW_BYTES - WINDOW_BYTES);
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
      this.#consumed(chunk.length);
      this.#controller!.enqueue(chunk);
      this.#settle();
    }
    if (this.#state !== 'whole' || this.#waiting.length > 0) return;
    this.#close();
    this.#controller?.close();
  }

  #close(): void {
    if (this.#window === 'long') longWindows--;
    this.#window = 'first';
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

import type { BodySource } from '../../model/body.ts';
import { RECORD, RecordReader, type ChunkRecord } from './chunk-records.ts';
import { packReason, unpackReason } from './reasons.ts';
import { unpackValue } from './values.ts';

/**
 * The bytes of a stream as a stream of chunks again.
 *
 *   open ── all bytes have come ──▶ ended ── all chunks are read ──▶ over
 *     └── failed, cancelled, call over ───────────────────────────────▶
 */
export class IncomingStream {
  readonly readable: ReadableStream<unknown>;
  readonly #source: BodySource;
  readonly #onOver: () => void;
  readonly #records = new RecordReader();
  #controller!: ReadableStreamDefaultController<unknown>;
  #state: 'open' | 'ended' | 'over' = 'open';
  /** Set while a chunk is wanted. */
  #pulled: (() => void) | null = null;

  /** @param onOver called once. */
  constructor(source: BodySource, onOver: () => void) {
    this.#source = source;
    this.#onOver = onOver;
    this.readable = new ReadableStream<unknown>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#pull(),
        cancel: (reason) => this.#cancel(reason),
      },
      // What waits does so as bytes, within what the source may send unasked.
      { highWaterMark: 0 },
    );
    source.read({
      data: (piece) => this.#data(piece),
      end: () => this.#end(),
      fail: (error) => this.#fail(error),
    });
  }

  /** Whoever reads on is told `error`. */
  close(error: unknown): void {
    this.#fail(error);
  }

  #data(piece: Uint8Array): void {
    if (this.#state !== 'open') return;
    try {
      this.#records.push(piece);
    } catch (error) {
      return this.#fail(error);
    }
    this.#deliver();
    // A chunk that has begun must come whole, however long it is.
    if (this.#records.hasWhole) this.#source.pause();
  }

  #end(): void {
    if (this.#state !== 'open') return;
    if (this.#records.isCutShort) return this.#fail(new Error('A stream has ended within a chunk.'));
    this.#state = 'ended';
    this.#deliver();
  }

  #pull(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pulled = resolve;
    this.#deliver();
    if (this.#pulled !== null) this.#source.resume();
    return promise;
  }

  #deliver(): void {
    if (this.#state === 'over') return;
    const record = this.#pulled === null ? undefined : this.#records.take();
    if (record !== undefined) this.#give(record);
    if (this.#state !== 'ended' || this.#records.hasWhole) return;
    this.#controller.close();
    this.#finish();
  }

  #give({ kind, bytes }: ChunkRecord): void {
    if (kind === RECORD.error) return this.#fail(unpackReason(bytes));
    let chunk: unknown = bytes;
    try {
      if (kind === RECORD.value) chunk = unpackValue(bytes, []);
    } catch (error) {
      return this.#fail(error);
    }
    this.#controller.enqueue(chunk);
    this.#settle();
  }

  #fail(error: unknown): void {
    if (this.#state === 'over') return;
    this.#controller.error(error);
    this.#finish();
    this.#source.cancel();
  }

  #cancel(reason: unknown): void {
    if (this.#state === 'over') return;
    this.#finish();
    this.#source.cancel(packReason(reason));
  }

  #finish(): void {
    this.#state = 'over';
    this.#settle();
    this.#onOver();
  }

  #settle(): void {
    const resolve = this.#pulled;
    this.#pulled = null;
    resolve?.();
  }
}

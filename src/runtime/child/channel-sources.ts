import { types } from 'node:util';
import { FulcrumError, messageOf } from '../../base/errors.ts';
import type { BodyReader, BodySource } from '../../model/body.ts';
import { RECORD, writeRecord } from './chunk-records.ts';
import type { Outgoing } from './crossing.ts';
import { isOverSharedMemory } from './object-kinds.ts';
import { packReason, unpackReason } from './reasons.ts';
import { packValue } from './values.ts';

/** Longer chunks of bytes arrive as several of this length. */
const MAX_CHUNK_BYTES = 1024 * 1024;

/** The bytes of a stream or signal that is passed. A stream is locked by this, as by a transfer. */
export function sourceOf(outgoing: Outgoing): BodySource {
  return outgoing.kind === 'stream' ? new StreamSource(outgoing.stream) : new SignalSource(outgoing.signal);
}

/**
 * Reads a stream as long as its bytes are taken.
 *
 *   flowing ── pause() ──▶ paused ── resume() ──▶ flowing
 *      └── end, failure, cancel() ──▶ over ◀──┘
 */
class StreamSource implements BodySource {
  readonly lengthBytes = null;
  readonly #from: ReadableStreamDefaultReader<unknown>;
  #to: BodyReader | null = null;
  #state: 'flowing' | 'paused' | 'over' = 'flowing';
  #resumed: (() => void) | null = null;

  constructor(stream: ReadableStream<unknown>) {
    this.#from = stream.getReader();
  }

  read(reader: BodyReader): void {
    this.#to = reader;
    void this.#flow(reader);
  }

  pause(): void {
    if (this.#state === 'flowing') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state === 'paused') this.#state = 'flowing';
    this.#resumed?.();
  }

  cancel(reason?: Uint8Array): void {
    this.#to = null;
    this.#end(reason === undefined ? GONE : unpackReason(reason));
  }

  async #flow(to: BodyReader): Promise<void> {
    try {
      for (let next = await this.#next(); next !== null && !next.done; next = await this.#next())
        this.#give(to, next.value);
    } catch (error) {
      if (this.#isOver()) return;
      to.data(writeRecord(RECORD.error, packReason(error)));
      // Of a source that has failed itself nobody hears this.
      this.#end(error);
    }
    if (this.#to === null) return;
    this.#to = null;
    this.#state = 'over';
    to.end();
  }

  /** Null where nobody wants it any more. */
  async #next(): Promise<{ readonly done: boolean; readonly value?: unknown } | null> {
    if (this.#state === 'paused') {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#resumed = resolve;
      await promise;
      this.#resumed = null;
    }
    if (this.#isOver()) return null;
    const next = await this.#from.read();
    return this.#isOver() ? null : next;
  }

  #give(to: BodyReader, chunk: unknown): void {
    if (!types.isUint8Array(chunk)) return to.data(writeRecord(RECORD.value, packChunk(chunk)));
    if (isOverSharedMemory(chunk)) throw notCloneable(new Error('it is a view of shared memory'));
    for (let at = 0; at === 0 || at < chunk.length; at += MAX_CHUNK_BYTES)
      to.data(writeRecord(RECORD.bytes, chunk.subarray(at, at + MAX_CHUNK_BYTES)));
  }

  #isOver(): boolean {
    return this.#state === 'over';
  }

  #end(reason: unknown): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#resumed?.();
    this.#from.cancel(reason).catch(() => undefined);
  }
}

/** What a source is cancelled with where whoever read it has not said why. */
const GONE = new DOMException(
  'Nobody reads the stream any more: the call is over, or its other side has gone.',
  'AbortError',
);

function packChunk(chunk: unknown): Uint8Array {
  try {
    const { bytes, passed } = packValue(chunk, 'arguments');
    if (passed.length > 0) throw new Error(`it holds a ${passed[0]!.kind}`);
    return bytes;
  } catch (error) {
    if (error instanceof FulcrumError && error.code === 'call-too-large') throw error;
    throw notCloneable(error);
  }
}

function notCloneable(error: unknown): FulcrumError {
  const message = `A chunk of a stream cannot cross to another component: ${messageOf(error)}`;
  return new FulcrumError('call-not-cloneable', message, { cause: error });
}

/** A signal: its reason, once, where it aborts. */
class SignalSource implements BodySource {
  readonly lengthBytes = null;
  readonly #signal: AbortSignal;
  #to: BodyReader | null = null;
  readonly #onAbort = (): void => {
    const to = this.#to;
    this.cancel();
    to?.data(writeRecord(RECORD.value, packReason(this.#signal.reason)));
    to?.end();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
  }

  read(reader: BodyReader): void {
    this.#to = reader;
    // It may have aborted since it was numbered.
    if (this.#signal.aborted) this.#onAbort();
  }

  pause(): void {}

  resume(): void {}

  cancel(): void {
    this.#to = null;
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}

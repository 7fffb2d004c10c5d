import { AsyncLocalStorage } from 'node:async_hooks';
import { FulcrumError } from '../../base/errors.ts';
import type { BodySource } from '../../model/body.ts';
import type { Incoming } from './crossing.ts';
import { IncomingStream } from './incoming-stream.ts';
import { RecordReader } from './chunk-records.ts';
import { unpackReason } from './reasons.ts';

/** A stream or signal that was passed, for the value that it is in. */
export class IncomingChannel implements Incoming {
  /** Of a stream: resolves when it has ended, or is not wanted any more. Never for what is no stream. */
  readonly over: Promise<void>;
  readonly #source: BodySource;
  readonly #onOver: () => void;
  #state: 'new' | 'used' | 'closed' = 'new';
  #stream: IncomingStream | null = null;

  constructor(source: BodySource) {
    this.#source = source;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#onOver = resolve;
  }

  get isStream(): boolean {
    return this.#stream !== null;
  }

  stream(): ReadableStream {
    this.#use();
    this.#stream = new IncomingStream(this.#source, this.#onOver);
    return this.#stream.readable;
  }

  signal(): AbortSignal {
    this.#use();
    const controller = new AbortController();
    const records = new RecordReader();
    // Who listens does so as part of the invocation that was given the signal.
    const within = AsyncLocalStorage.snapshot();
    this.#source.read({
      data: (piece) => {
        if (this.#state === 'closed') return;
        records.push(piece);
        const record = records.take();
        if (record === undefined) return;
        this.close(null);
        within(() => controller.abort(unpackReason(record.bytes)));
      },
      end: () => undefined,
      fail: () => undefined,
    });
    return controller.signal;
  }

  /** The call is over, or given up: whoever reads a stream on is told `error`; a signal is silent from now on. */
  close(error: unknown): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    if (this.#stream === null) this.#source.cancel();
    else this.#stream.close(error);
  }

  /** There is one place for it in a value, and one kind. */
  #use(): void {
    if (this.#state !== 'new') throw new Error('One stream or signal stands for two.');
    this.#state = 'used';
  }
}

/** What a stream fails with whose call is over. */
export function callOver(): FulcrumError {
  return new FulcrumError('client-gone', 'The call that the stream was passed with is over.');
}

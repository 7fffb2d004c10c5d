import { GatheredBody } from './gathered-body.ts';

interface PassedBodyOptions {
  /** Runs what reads the source as part of whoever has made that. */
  readonly run: <T>(code: () => T) => T;
  /** What it is said to have; another length breaks it off. */
  readonly lengthBytes: number | null;
  /** The error that whoever reads it is told, made of what went wrong. */
  readonly failure: (error: unknown) => unknown;
  /** It has ended, and nothing more comes. @param isCancelled whoever reads it wants no more. */
  readonly onEnd: (isCancelled: boolean) => void;
}

/**
 *   open ──last byte──▶ ended
 *     └── broken off, given up, not wanted any more ──▶ ended
 */
type State = 'open' | 'ended';

/** A body that one component of a process gives to another: copied as it is read, and no sooner. */
export class PassedBody {
  readonly #options: PassedBodyOptions;
  readonly #source: ReadableStreamDefaultReader<unknown>;
  #state: State = 'open';
  #bytes = 0;
  #failure: { readonly error: unknown } | null = null;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  /** Ends a read that waits for the source. */
  #broken: PromiseWithResolvers<never> | null = null;

  /** Throws TypeError where somebody reads `source` already. */
  constructor(source: ReadableStream<unknown>, options: PassedBodyOptions) {
    this.#source = source.getReader();
    this.#options = options;
  }

  /** All of it, once, to be given back to the memory of bodies. Rejects with what it breaks off with. */
  async gather(): Promise<Uint8Array> {
    const gathered = new GatheredBody(() => this.#options.lengthBytes);
    for (;;) {
      const chunk = await this.#next();
      if (chunk === null) return gathered.take();
      gathered.add(chunk);
    }
  }

  /** As a stream, once. Nothing is asked for before that is read. */
  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          if (this.#failure !== null) controller.error(this.#failure.error);
        },
        pull: async (controller) => {
          const chunk = await this.#next();
          if (chunk === null) controller.close();
          else controller.enqueue(Uint8Array.from(chunk));
        },
        cancel: (reason) => this.#cancel(reason, true),
      },
      { highWaterMark: 0 },
    );
  }

  /** It breaks off: reading it rejects with `error`, and its source is cancelled. */
  fail(error: unknown): void {
    if (this.#state === 'ended') return;
    this.#failure = { error };
    this.#broken?.reject(error);
    this.#controller?.error(error);
    this.#cancel(error, false);
  }

  #cancel(reason: unknown, byReader: boolean): void {
    if (this.#state === 'ended') return;
    this.#end(byReader);
    this.#options.run(() => this.#source.cancel(reason)).catch(() => undefined);
  }

  /** @returns null at the end. Whatever has no bytes is left out. */
  async #next(): Promise<Uint8Array | null> {
    try {
      for (;;) {
        if (this.#failure !== null) throw this.#failure.error;
        if (this.#state === 'ended') return null;
        const { done, value } = await this.#read();
        if (done) {
          this.#checkLength(this.#bytes === this.#options.lengthBytes);
          this.#end(false);
          return null;
        }
        const bytes = bytesOf(value);
        this.#bytes += bytes.length;
        this.#checkLength(this.#bytes <= (this.#options.lengthBytes ?? 0));
        if (bytes.length > 0) return bytes;
      }
    } catch (error) {
      if (this.#failure !== null) throw this.#failure.error;
      const told = this.#options.failure(error);
      this.fail(told);
      throw told;
    }
  }

  async #read(): ReturnType<ReadableStreamDefaultReader<unknown>['read']> {
    const broken = (this.#broken = Promise.withResolvers<never>());
    try {
      return await Promise.race([this.#options.run(() => this.#source.read()), broken.promise]);
    } finally {
      this.#broken = null;
    }
  }

  #checkLength(isRight: boolean): void {
    if (this.#options.lengthBytes !== null && !isRight) throw new WrongLength();
  }

  #end(isCancelled: boolean): void {
    this.#state = 'ended';
    this.#options.onEnd(isCancelled);
  }
}

/** A body yields what is no bytes. */
export class NoBytes extends TypeError {}
/** A body is not as long as was said. */
export class WrongLength extends Error {}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw new NoBytes();
}

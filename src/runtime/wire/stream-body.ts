import { FulcrumError } from '../../base/errors.ts';
import type { BodyReader, BodySource } from '../../model/body.ts';
import { HeldBytes } from './held-bytes.ts';
import type { WireStream } from './stream.ts';

/**
 *   open ──whole()──▶ whole ──all given──▶ closed
 *     └── fail(), cancel(), another length than was said ──▶ closed
 */
type State = 'open' | 'whole' | 'closed';

/** The body of a stream that the peer has opened, for whoever passes it on. What waits here is never more than a stream's window. */
export class StreamBody implements BodySource {
  readonly lengthBytes: number | null;
  readonly #stream: WireStream;
  readonly #stop: () => void;
  #state: State = 'open';
  #reader: BodyReader | null = null;
  #paused = false;
  readonly #waiting = new HeldBytes();
  #receivedBytes = 0;
  /** Why it broke off, where nobody had begun to read it. */
  #failure: FulcrumError | null = null;

  /**
   * @param lengthBytes what the peer says that it has; null: it does not say. Another length breaks it off with `bad-request`, for whoever
   * is told of one may take what follows for something else.
   * @param stop tells the peer that no more is wanted.
   */
  constructor(stream: WireStream, lengthBytes: number | null, stop: () => void) {
    this.#stream = stream;
    this.lengthBytes = lengthBytes;
    this.#stop = stop;
  }

  /** Whether there is more of it to come that somebody may want. */
  get isComing(): boolean {
    return this.#state === 'open';
  }

  /** Bytes have come. */
  data(chunk: Buffer): void {
    if (this.#state !== 'open') return this.#stream.consumed(chunk.length);
    this.#receivedBytes += chunk.length;
    if (this.lengthBytes !== null && this.#receivedBytes > this.lengthBytes) return this.#wrongLength();
    if (this.#reader === null || this.#paused || this.#waiting.lengthBytes > 0) {
      this.#waiting.push(chunk);
    } else {
      this.#reader.data(chunk);
      this.#stream.consumed(chunk.length);
    }
  }

  /** The peer has sent all of it. */
  whole(): void {
    if (this.#state !== 'open') return;
    if (this.lengthBytes !== null && this.#receivedBytes < this.lengthBytes) return this.#wrongLength();
    this.#state = 'whole';
    this.#flow();
  }

  fail(error: FulcrumError): void {
    if (this.#state === 'closed') return;
    this.#close();
    if (this.#reader === null) this.#failure = error;
    else this.#reader.fail(error);
  }

  read(reader: BodyReader): void {
    this.#reader = reader;
    if (this.#failure !== null) reader.fail(this.#failure);
    else this.#flow();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#flow();
  }

  cancel(): void {
    if (this.#state === 'closed') return;
    const { isComing } = this;
    this.#close();
    if (isComing) this.#stop();
  }

  #flow(): void {
    const reader = this.#reader;
    if (reader === null) return;
    while (!this.#paused) {
      const chunk = this.#waiting.shift();
      if (chunk === null) break;
      reader.data(chunk);
      this.#stream.consumed(chunk.length);
    }
    if (this.#paused || this.#state !== 'whole') return;
    this.#close();
    reader.end();
  }

  #wrongLength(): void {
    this.#stop();
    this.fail(
      new FulcrumError('bad-request', 'The body of the request is not as long as it was said to be.'),
    );
  }

  #close(): void {
    this.#state = 'closed';
    this.#waiting.clear();
  }
}

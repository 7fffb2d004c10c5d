import { ERRORS, FulcrumError, type ErrorCode } from '../../base/errors.ts';
import type { BodyReader, BodySource } from '../../model/body.ts';
import type { WireConnection } from './connection.ts';
import { FRAME } from './frames.ts';
import { HeldBytes } from './held-bytes.ts';
import { MAX_REASON_BYTES } from './limits.ts';
import { readJson } from './messages.ts';
import { protocolError } from './protocol-error.ts';
import type { StreamHandler, WireStream } from './stream.ts';

/**
 * A stream or signal that the peer passes, as a source of bytes. What comes while nobody reads is never more than a stream's window.
 *
 *   open ── BODY_END, BODY_FAILED, connection lost ──▶ ended ── all read ──▶ closed
 *     └── not wanted any more, call over ──▶ closed
 */
export class ChannelIn implements BodySource, StreamHandler {
  readonly context = null;
  readonly lengthBytes = null;
  readonly #connection: WireConnection;
  readonly #stream: WireStream;
  readonly #named: (error: FulcrumError) => FulcrumError;
  #state: 'open' | 'ended' | 'closed' = 'open';
  /** How it has ended; null: well. */
  #failure: FulcrumError | null = null;
  #reader: BodyReader | null = null;
  #paused = false;
  readonly #waiting = new HeldBytes();

  /** @param named what the reader is told of an error of the platform. */
  constructor(
    connection: WireConnection,
    stream: WireStream,
    named: (error: FulcrumError) => FulcrumError = (error) => error,
  ) {
    this.#connection = connection;
    this.#stream = stream;
    this.#named = named;
    stream.handler = this;
  }

  read(reader: BodyReader): void {
    this.#reader = reader;
    this.#flow();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#flow();
  }

  cancel(reason: Uint8Array | null = null): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'open') {
      // As much may be sent in any stream at once.
      if (reason !== null && reason.length <= MAX_REASON_BYTES) this.#stream.write(reason);
      this.#done();
    }
    this.#close();
  }

  /** The call is given up: whoever reads is told `error`. */
  fail(error: FulcrumError): void {
    if (this.#state !== 'open') return;
    this.#done();
    this.#end(error);
  }

  data(chunk: Buffer): void {
    if (this.#state !== 'open') return;
    if (this.#reader === null || this.#paused || this.#waiting.lengthBytes > 0) {
      this.#waiting.push(chunk);
      return;
    }
    this.#reader.data(chunk);
    this.#stream.consumed(chunk.length);
  }

  frame(type: number, _flags: number, payload: Buffer): void {
    if (type !== FRAME.BODY_END && type !== FRAME.BODY_FAILED)
      throw protocolError(`frame of type ${type} in a channel's stream`);
    const error = type === FRAME.BODY_END ? null : readChannelFailure(payload);
    this.#done();
    this.#end(error);
  }

  drained(): void {}

  stopped(): void {}

  lost(error: FulcrumError): void {
    if (this.#state === 'open') this.#end(error);
  }

  #done(): void {
    this.#connection.writer.number(FRAME.DONE, this.#stream.id, 0);
    this.#connection.forget(this.#stream);
  }

  #end(error: FulcrumError | null): void {
    this.#state = 'ended';
    this.#failure = error === null ? null : this.#named(error);
    // What broke off is of no use in parts that wait.
    if (error !== null) this.#waiting.clear();
    this.#flow();
  }

  #flow(): void {
    const reader = this.#reader;
    if (reader === null) return;
    while (!this.#paused && this.#state !== 'closed') {
      const chunk = this.#waiting.shift();
      if (chunk === null) break;
      reader.data(chunk);
      this.#stream.consumed(chunk.length);
    }
    if (this.#state !== 'ended' || this.#waiting.lengthBytes > 0) return;
    const failure = this.#failure;
    this.#close();
    if (failure === null) reader.end();
    else reader.fail(failure);
  }

  #close(): void {
    this.#state = 'closed';
    this.#waiting.clear();
  }
}

/** What BODY_FAILED says of why a channel broke off. Whoever sends it may say anything: it is only of its form. */
function readChannelFailure(payload: Buffer): FulcrumError {
  const { code, message } = readJson(payload);
  if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code) || typeof message !== 'string')
    throw protocolError('a channel that broke off without a known code');
  const error = new FulcrumError(code as ErrorCode, message.slice(0, MAX_REASON_BYTES));
  // Whoever reads the stream would be told of our frames, and of nobody else's.
  error.stack = `${error.name}: ${error.message}`;
  return error;
}

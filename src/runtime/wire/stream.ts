import { FulcrumError } from '../../base/errors.ts';
import type { InvocationContext } from '../../model/invocation.ts';
import { FRAME } from './frames.ts';
import type { FrameWriter } from './frame-writer.ts';
import { MAX_CREDIT_BYTES, MAX_DATA_BYTES, WINDOW_BYTES } from './limits.ts';
import { protocolError } from './protocol-error.ts';

/** Longer text is made into bytes of its own. */
const MAX_TEXT_BYTES = 8 * 1024;

/** What one end does with a stream. Whatever it throws ends the connection. */
export interface StreamHandler {
  /** The invocation that the stream carries to the instance, as the server knows it; null for any other stream. */
  readonly context: InvocationContext | null;
  /** Any frame but those about the flow of bytes: RESPONSE, BODY_END, BODY_FAILED, ABORT, DONE, FAILED. */
  frame(type: number, flags: number, payload: Buffer): void;
  /**
   * `chunk` is a view that holds only until the call returns. Each byte must be returned by {@link WireStream.consumed}, or the
   * peer stops sending.
   */
  data(chunk: Buffer): void;
  /** All that was written has been sent: more may follow. Called only after `write` returned false. */
  drained(): void;
  /** The peer wants no more of the body that we send. */
  stopped(): void;
  /** The connection is gone, and the stream with it. */
  lost(error: FulcrumError): void;
}

/** One stream of a connection: a body each way with credit, and frames between. */
export class WireStream {
  readonly id: number;
  handler: StreamHandler = UNHANDLED;
  readonly #writer: FrameWriter;
  #sending: 'open' | 'ending' | 'ended' = 'open';
  #sendCredit = WINDOW_BYTES;
  #queue: Uint8Array[] = [];
  #wantsDrain = false;
  #over = false;
  #receiveCredit = WINDOW_BYTES;
  #consumed = 0;

  constructor(id: number, writer: FrameWriter) {
    this.id = id;
    this.#writer = writer;
  }

  /**
   * Sends a part of our body as far as there is credit and keeps a copy of the rest.
   * @returns false when the caller should wait for `drained`. The chunk is taken either way.
   */
  write(chunk: Uint8Array): boolean {
    return this.#write(chunk, false);
  }

  /** The same for bytes that nobody else uses: what cannot be sent yet is kept as it is. */
  writeOwned(chunk: Uint8Array): boolean {
    return this.#write(chunk, true);
  }

  #write(chunk: Uint8Array, isOwned: boolean): boolean {
    if (this.#sending !== 'open' || this.#over || chunk.length === 0) return true;
    const isFirst = this.#queue.length === 0;
    this.#queue.push(isFirst || isOwned ? chunk : Buffer.from(chunk));
    this.#pump();
    if (this.#queue.length === 0) return true;
    if (isFirst && !isOwned) this.#queue[0] = Buffer.from(this.#queue[0]!);
    this.#wantsDrain = true;
    return false;
  }

  /**
   * Sends text as a part of our body. Short text for which there is credit goes straight into the frame.
   * @returns as {@link write} does.
   */
  writeText(text: string): boolean {
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_TEXT_BYTES || bytes > this.#sendCredit || this.#queue.length > 0) {
      return this.writeOwned(Buffer.from(text));
    }
    if (this.#sending !== 'open' || this.#over || bytes === 0) return true;
    this.#sendCredit -= bytes;
    this.#writer.utf8(this.id, text, bytes);
    return true;
  }

  /** Our body is whole. BODY_END follows what is still queued. */
  endBody(): void {
    if (this.#sending !== 'open' || this.#over) return;
    this.#sending = 'ending';
    this.#pump();
  }

  /** Our body ends here, without a word: the frame that ends the stream says it. Nothing may be queued. */
  dropBody(): void {
    this.#sending = 'ended';
    this.#queue = [];
  }

  /** Whether all that was written has been sent. */
  get sent(): boolean {
    return this.#queue.length === 0;
  }

  /** Our body has broken off; `reason` is told to the peer. */
  failBody(reason: string): void {
    if (this.#sending === 'ended' || this.#over) return;
    this.dropBody();
    this.#writer.text(FRAME.BODY_FAILED, 0, this.id, reason);
  }

  /** `bytes` of the peer's body have been worked off and may be sent anew. */
  consumed(bytes: number): void {
    if (this.#over) return;
    this.#consumed += bytes;
    if (this.#consumed < WINDOW_BYTES / 4) return;
    this.#receiveCredit += this.#consumed;
    this.#writer.number(FRAME.WINDOW, this.id, this.#consumed);
    this.#consumed = 0;
  }

  /** Lets the peer send `bytes` more than it would be let by itself. */
  grant(bytes: number): void {
    this.#receiveCredit += bytes;
    this.#writer.number(FRAME.WINDOW, this.id, bytes);
  }

  /** DATA has come. */
  received(chunk: Buffer): void {
    this.#receiveCredit -= chunk.length;
    if (this.#receiveCredit < 0) throw protocolError(`more data in stream ${this.id} than was granted`);
    this.handler.data(chunk);
  }

  /** WINDOW has come. */
  granted(bytes: number): void {
    this.#sendCredit += bytes;
    if (this.#sendCredit > MAX_CREDIT_BYTES) throw protocolError(`too large a window in stream ${this.id}`);
    this.#pump();
    if (this.#queue.length > 0 || !this.#wantsDrain) return;
    this.#wantsDrain = false;
    this.handler.drained();
  }

  /** BODY_STOP has come. */
  stopped(): void {
    this.dropBody();
    this.handler.stopped();
  }

  /** Nothing more is sent or expected. */
  end(): void {
    this.#over = true;
    this.dropBody();
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#sendCredit > 0) {
      const chunk = this.#queue[0]!;
      const length = Math.min(chunk.length, this.#sendCredit, MAX_DATA_BYTES);
      this.#sendCredit -= length;
      this.#writer.data(this.id, length === chunk.length ? chunk : chunk.subarray(0, length));
      if (length === chunk.length) this.#queue.shift();
      else this.#queue[0] = chunk.subarray(length);
    }
    if (this.#sending !== 'ending' || this.#queue.length > 0) return;
    this.#sending = 'ended';
    this.#writer.begin(FRAME.BODY_END, 0, this.id, 0);
  }
}

const unhandled = (): never => {
  throw new FulcrumError('internal', 'A stream of the wire was used before it had a handler.');
};

const UNHANDLED: StreamHandler = {
  context: null,
  frame: unhandled,
  data: unhandled,
  drained: unhandled,
  stopped: unhandled,
  lost: () => undefined,
};

import { FulcrumError } from '../../base/errors.ts';
import type { InvocationContext } from '../../model/invocation.ts';
import { FRAME } from './frames.ts';
import type { FrameWriter } from './frame-writer.ts';
import { MAX_CREDIT_BYTES, MAX_DATA_BYTES, MAX_FRAME_BYTES, WINDOW_BYTES } from './limits.ts';
import { protocolError } from './protocol-error.ts';

/** Longer text is made into bytes of its own. */
const MAX_TEXT_BYTES = 8 * 1024;

/** A part of our body that waits for credit. */
interface Piece {
  bytes: Uint8Array;
  /** It is sent from where it is, and this called when the system has it; null where it is copied into its frames. */
  readonly taken: (() => void) | null;
}

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
  /** CHANNEL has come: the peer passes `channel`, whose `handler` must be set before this returns, under that number. Absent: of no call. */
  channel?(channel: WireStream, number: number): void;
  /** All that was written has been sent: more may follow. Called only after `write` or `hasRoomFor` returned false. */
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
  #queue: Piece[] = [];
  /** Whoever writes waits until nothing is queued and there is credit for this many bytes; null where nobody does. */
  #awaitedRoom: number | null = null;
  #awaitsRelief = false;
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

  /**
   * The same for bytes that nobody changes before `taken` is called, so that they need not be copied at all.
   * @param taken is not called where they are never wholly sent.
   */
  lend(bytes: Uint8Array, taken: () => void): boolean {
    return this.#add({ bytes, taken });
  }

  #write(chunk: Uint8Array, isOwned: boolean): boolean {
    const isFirst = this.#queue.length === 0;
    const piece: Piece = { bytes: isFirst || isOwned ? chunk : Buffer.from(chunk), taken: null };
    const isSent = this.#add(piece);
    // What waits is a copy: whoever gave it may use it anew.
    if (isFirst && !isOwned && this.#queue[0] === piece) piece.bytes = Buffer.from(piece.bytes);
    return isSent;
  }

  #add(piece: Piece): boolean {
    if (this.#sending !== 'open' || this.#over || piece.bytes.length === 0) return true;
    this.#queue.push(piece);
    this.#pump();
    if (this.#queue.length === 0) return true;
    this.#awaitedRoom = 0;
    return false;
  }

  /**
   * Whether so many bytes more would go out as they come: there is credit, and the connection takes what it is given. Where not,
   * whoever can hold its own back is told by `drained` when they would.
   */
  hasRoomFor(bytes: number): boolean {
    if (this.#queue.length === 0 && this.#sendCredit >= bytes && !this.#writer.isCongested) return true;
    this.#awaitedRoom = bytes;
    if (this.#writer.isCongested && !this.#awaitsRelief) {
      this.#awaitsRelief = true;
      this.#writer.whenRelieved(() => {
        this.#awaitsRelief = false;
        this.#proceed();
      });
    }
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
    this.#proceed();
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

  /** Tells whoever waits for room that there is, where there is. */
  #proceed(): void {
    const awaited = this.#awaitedRoom;
    if (awaited === null || this.#over || this.#queue.length > 0) return;
    if (awaited > 0 && !this.hasRoomFor(awaited)) return;
    this.#awaitedRoom = null;
    this.handler.drained();
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#sendCredit > 0) {
      const piece = this.#queue[0]!;
      const { bytes } = piece;
      const most = piece.taken === null ? MAX_DATA_BYTES : MAX_FRAME_BYTES;
      const length = Math.min(bytes.length, this.#sendCredit, most);
      const isLast = length === bytes.length;
      const sent = isLast ? bytes : bytes.subarray(0, length);
      this.#sendCredit -= length;
      if (piece.taken === null) this.#writer.data(this.id, sent);
      else this.#writer.lend(this.id, sent, isLast ? piece.taken : null);
      if (isLast) this.#queue.shift();
      else piece.bytes = bytes.subarray(length);
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

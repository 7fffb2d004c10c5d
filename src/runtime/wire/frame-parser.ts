import { FIRST_OPTIONAL_TYPE, FRAME, HEADER_BYTES } from './frames.ts';
import { protocolError } from './protocol-error.ts';

export interface FrameHandler {
  /** A whole frame of any type but DATA. `payload` is a view that holds only until the call returns. */
  frame(type: number, flags: number, stream: number, payload: Buffer): void;
  /** Bytes of a DATA frame, in pieces as they came: views that hold only until the call returns. */
  data(stream: number, chunk: Buffer): void;
}

const LAST_KNOWN_TYPE = FRAME.VIA_SERVER;
const NO_BYTES = Buffer.alloc(0);

/**
 * Cuts what a socket gives into frames, wherever it was cut on the way. Payloads that arrive whole are not copied; what is
 * held of a frame that has not wholly arrived is never more than has arrived, and never more than the limit.
 */
export class FrameParser {
  readonly #handler: FrameHandler;
  #maxFrameBytes: number;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;
  #type = 0;
  #flags = 0;
  #stream = 0;
  /** Bytes of the present frame's payload still to come. */
  #missing = 0;
  #inPayload = false;
  #pieces: Buffer[] = [];

  constructor(handler: FrameHandler, maxFrameBytes: number) {
    this.#handler = handler;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** From the next frame on. */
  allow(maxFrameBytes: number): void {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Throws `wire-protocol` where the bytes are no frames, and whatever the handler throws; the parser is of no use then. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length || (this.#inPayload && this.#missing === 0)) {
      if (this.#inPayload) at = this.#payload(chunk, at);
      else if (this.#headerBytes === 0 && chunk.length - at >= HEADER_BYTES) {
        this.#begin(chunk, at);
        at += HEADER_BYTES;
      } else {
        const taken = Math.min(HEADER_BYTES - this.#headerBytes, chunk.length - at);
        chunk.copy(this.#header, this.#headerBytes, at, at + taken);
        this.#headerBytes += taken;
        at += taken;
        if (this.#headerBytes === HEADER_BYTES) this.#begin(this.#header, 0);
      }
    }
  }

  #begin(bytes: Buffer, at: number): void {
    this.#missing = bytes.readUInt32LE(at);
    this.#type = bytes[at + 4]!;
    this.#flags = bytes[at + 5]!;
    this.#stream = bytes.readUInt32LE(at + 6);
    this.#headerBytes = 0;
    this.#inPayload = true;
    if (this.#type === 0 || (this.#type > LAST_KNOWN_TYPE && this.#type < FIRST_OPTIONAL_TYPE)) {
      throw protocolError(`frame of unknown type ${this.#type}`);
    }
    if (this.#missing > this.#maxFrameBytes) {
      throw protocolError(`frame of ${this.#missing} bytes, where ${this.#maxFrameBytes} are allowed`);
    }
  }

  #payload(chunk: Buffer, at: number): number {
    const end = Math.min(at + this.#missing, chunk.length);
    this.#missing -= end - at;
    const whole = this.#missing === 0;
    // The state is left before the handler is called, which may throw, and in whose eyes the frame is over.
    if (whole) this.#inPayload = false;
    if (this.#type === FRAME.DATA) {
      this.#handler.data(this.#stream, chunk.subarray(at, end));
    } else if (whole && this.#pieces.length === 0) {
      const payload = end === at ? NO_BYTES : chunk.subarray(at, end);
      this.#handler.frame(this.#type, this.#flags, this.#stream, payload);
    } else {
      // A copy: a view would keep everything alive that was read with it.
      this.#pieces.push(Buffer.from(chunk.subarray(at, end)));
      if (whole) {
        const payload = Buffer.concat(this.#pieces);
        this.#pieces = [];
        this.#handler.frame(this.#type, this.#flags, this.#stream, payload);
      }
    }
    return end;
  }
}

/**
 * Where WebSocket frames end in a stream of bytes (RFC 6455 §5.2), without looking into them: enough to put a frame of
 * one's own between two of others. Extensions change payloads and reserved bits, not this.
 */

const MAX_CONTROL_PAYLOAD = 125;
const OPCODE_CLOSE = 0x8;

/**
 * `between` frames (the start counts), `inside` one, or `lost`: what came is no WebSocket stream, and nothing can be
 * said of the rest.
 */
export type FramePosition = 'between' | 'inside' | 'lost';

export class FrameTracker {
  #position: FramePosition = 'between';
  /** Bytes of the current frame's header so far: at most 2 + 8 + 4. */
  readonly #header = new Uint8Array(14);
  #headerLength = 0;
  #payloadLeft = 0;
  #opcode = 0;

  get position(): FramePosition {
    return this.#position;
  }

  /** Between frames: whether the one that has just ended is a close frame. */
  get isClose(): boolean {
    return this.#opcode === OPCODE_CLOSE;
  }

  /**
   * Reads `chunk` from `from` on, up to the first end of a frame.
   * @returns the offset behind that end, or the chunk's length where none is in it; `position` tells which.
   */
  next(chunk: Uint8Array, from: number): number {
    let offset = from;
    while (offset < chunk.length && this.#position !== 'lost') {
      if (this.#position === 'between') this.#begin();
      if (this.#payloadLeft === 0) {
        this.#header[this.#headerLength++] = chunk[offset++]!;
        if (!this.#readHeader()) continue;
      } else {
        const taken = Math.min(this.#payloadLeft, chunk.length - offset);
        offset += taken;
        this.#payloadLeft -= taken;
      }
      if (this.#payloadLeft === 0) {
        this.#position = 'between';
        return offset;
      }
    }
    return this.#position === 'lost' ? chunk.length : offset;
  }

  #begin(): void {
    this.#position = 'inside';
    this.#headerLength = 0;
  }

  /** @returns true once the header is whole; `#payloadLeft` is set then. */
  #readHeader(): boolean {
    if (this.#headerLength < 2) return false;
    const header = this.#header;
    this.#opcode = header[0]! & 0x0f;
    const short = header[1]! & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const maskBytes = header[1]! & 0x80 ? 4 : 0;
    // A control frame is short and whole (§5.5); anything else means that these are no frames.
    if (this.#opcode >= 0x8 && (short > MAX_CONTROL_PAYLOAD || (header[0]! & 0x80) === 0))
      return this.#lose();
    if (this.#headerLength < 2 + lengthBytes + maskBytes) return false;
    let length = lengthBytes === 0 ? short : 0;
    for (let i = 0; i < lengthBytes; i++) length = length * 256 + header[2 + i]!;
    if (!Number.isSafeInteger(length)) return this.#lose();
    this.#payloadLeft = length;
    return true;
  }

  #lose(): false {
    this.#position = 'lost';
    return false;
  }
}

/**
 * A close frame with `code` and no reason (§5.5.1).
 * @param mask four bytes where a client sends it to a server, null from a server to a client (§5.1).
 */
export function closeFrame(code: number, mask: Uint8Array | null): Uint8Array {
  const payload = [code >> 8, code & 0xff];
  if (mask === null) return Uint8Array.from([0x88, 2, ...payload]);
  return Uint8Array.from([0x88, 0x80 | 2, ...mask, ...payload.map((byte, i) => byte ^ mask[i % 4]!)]);
}

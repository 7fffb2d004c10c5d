import { Duplex } from 'node:stream';
import type { WireStream } from '../wire/stream.ts';

/** The answer to an upgrade, as the WebSocket library writes it in front of its frames. */
export interface UpgradeHead {
  readonly status: number;
  readonly headers: readonly string[];
}

const HEAD_END = '\r\n\r\n';

/**
 * A client's connection as a stream of the wire carries it, for a library that wants a socket. What is written first is an HTTP
 * head, which goes as a frame of its own; all that follows, and all that is read, are the connection's bytes, with flow control
 * from end to end.
 */
export class WireSocket extends Duplex {
  readonly #wire: WireStream;
  readonly #answer: (head: UpgradeHead) => void;
  #head: string | null = '';
  #written: (() => void) | null = null;
  #heldBytes = 0;

  constructor(wire: WireStream, answer: (head: UpgradeHead) => void) {
    super({ readableHighWaterMark: 64 * 1024, writableHighWaterMark: 64 * 1024, allowHalfOpen: false });
    this.#wire = wire;
    this.#answer = answer;
  }

  /** Bytes have come. */
  received(chunk: Buffer): void {
    if (this.push(Buffer.from(chunk))) this.#wire.consumed(chunk.length);
    else this.#heldBytes += chunk.length;
  }

  /** No more will come. */
  ended(): void {
    this.push(null);
  }

  /** There is room for more to be sent. */
  drained(): void {
    const written = this.#written;
    this.#written = null;
    written?.();
  }

  override _read(): void {
    const bytes = this.#heldBytes;
    this.#heldBytes = 0;
    if (bytes > 0) this.#wire.consumed(bytes);
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, written: () => void): void {
    let bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    if (this.#head !== null) {
      this.#head += bytes.toString('latin1');
      const end = this.#head.indexOf(HEAD_END);
      if (end === -1) return written();
      bytes = Buffer.from(this.#head.slice(end + HEAD_END.length), 'latin1');
      this.#answer(readHead(this.#head.slice(0, end)));
      this.#head = null;
    }
    if (this.#wire.write(bytes)) written();
    else this.#written = written;
  }

  override _final(done: () => void): void {
    this.#wire.endBody();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.drained();
    this.#wire.endBody();
    done(error);
  }

  // What libraries ask of a socket, and what only a real one can do.
  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }
}

function readHead(text: string): UpgradeHead {
  const [line = '', ...lines] = text.split('\r\n');
  const headers = lines.flatMap((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon), field.slice(colon + 1).trim()];
  });
  return { status: Number(line.split(' ')[1]), headers };
}

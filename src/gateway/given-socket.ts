import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

/** A client's connection that has become something else, for whoever speaks that: reads what the connection is given, writes to its socket. */
export class GivenSocket extends Duplex {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.once('close', () => this.destroy());
  }

  /** Bytes have come; they may be used anew when this returns. */
  received(bytes: Buffer): void {
    if (!this.push(Buffer.from(bytes))) this.#socket.pause();
  }

  /** The client has ended its side. */
  ended(): void {
    this.push(null);
  }

  override _read(): void {
    if (this.#socket.isPaused()) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

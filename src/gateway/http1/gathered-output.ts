import type { Socket } from 'node:net';
import { readBlockOf } from '../../base/read-buffer.ts';

/** What one read of an instance's socket gives. */
const GATHERED_BYTES = 256 * 1024;
/** So many are kept; what slow clients hold beyond them is let go afterwards. */
const MAX_SPARE = 32;

/** A smaller piece is gathered with others: a write of its own would cost more than to copy it. */
const MIN_SENT_BYTES = 16 * 1024;

const spare: Buffer[] = [];

/**
 * Gathers the pieces of bodies, which may be used anew when `add` returns, and writes them together. The buffer is taken back when
 * the system has the bytes: a new one for each piece of a large body would have V8 collect them again and again, and a write for each
 * would wake the client each time.
 */
export class GatheredOutput {
  readonly #socket: Socket;
  #buffer: Buffer | null = null;
  #bytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Writes `head` and `piece` from where that was read, without a copy.
   * @returns false where `piece` is too small for that, or has to wait behind something: it is to be added.
   */
  send(head: string, piece: Buffer): boolean {
    const socket = this.#socket;
    if (piece.length < MIN_SENT_BYTES || this.#bytes > 0 || socket.writableLength > 0) return false;
    const block = readBlockOf(piece);
    if (block === null) return false;
    let isKept = false;
    const taken = (): void => {
      if (isKept) block.letGo();
    };
    if (head === '') {
      socket.write(piece, taken);
    } else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(piece, taken);
      socket.uncork();
    }
    // Nearly always the system has taken all of it by now, and `taken` follows later in the turn.
    isKept = socket.writableLength > 0;
    if (isKept) block.keep();
    return true;
  }

  add(piece: Buffer): void {
    let rest = piece;
    while (rest.length > 0) {
      this.#buffer ??= spare.pop() ?? Buffer.allocUnsafeSlow(GATHERED_BYTES);
      const length = Math.min(rest.length, GATHERED_BYTES - this.#bytes);
      rest.copy(this.#buffer, this.#bytes, 0, length);
      this.#bytes += length;
      rest = rest.subarray(length);
      if (this.#bytes === GATHERED_BYTES) this.write();
    }
  }

  /** @param text Latin-1, and short. */
  text(text: string): void {
    this.add(Buffer.from(text, 'latin1'));
  }

  /** Gives the socket what has been gathered. */
  write(): void {
    const buffer = this.#buffer;
    if (buffer === null) return;
    this.#buffer = null;
    const length = this.#bytes;
    this.#bytes = 0;
    if (this.#socket.destroyed) return;
    // What a slow client leaves waiting must not hold more than its bytes.
    if (this.#socket.writableLength > 0 && length < GATHERED_BYTES / 2) {
      this.#socket.write(Buffer.from(buffer.subarray(0, length)));
      if (spare.length < MAX_SPARE) spare.push(buffer);
      return;
    }
    this.#socket.write(buffer.subarray(0, length), () => {
      if (spare.length < MAX_SPARE) spare.push(buffer);
    });
  }
}

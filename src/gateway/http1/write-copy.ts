import type { Socket } from 'node:net';

/** The longest piece that a body comes in. */
const PIECE_BYTES = 64 * 1024;
/** So many are kept: enough for what is written in a turn of the loop. */
const MAX_SPARE = 64;

const spare: Buffer[] = [];

/**
 * Writes what may be used anew when this returns. It is copied into a buffer that is taken back as soon as the system has the bytes,
 * which is nearly always at once: a new buffer for each piece of a large body would have V8 collect them again and again.
 * @returns what `socket.write` does.
 */
export function writeCopy(socket: Socket, bytes: Buffer): boolean {
  if (bytes.length > PIECE_BYTES) return socket.write(Buffer.from(bytes));
  const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
  buffer.set(bytes);
  const more = socket.write(buffer.subarray(0, bytes.length));
  // What waits is the socket's, which lets it go when it has been sent.
  if (socket.writableLength === 0 && spare.length < MAX_SPARE) spare.push(buffer);
  return more;
}

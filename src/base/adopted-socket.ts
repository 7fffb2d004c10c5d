import { Socket, type OnReadOpts } from 'node:net';
import { ReadBuffer } from './read-buffer.ts';

/** A part of Node that it does not document: what a socket of either side is made around. */
interface WithHandle {
  _handle: object | null;
}

/**
 * The connection of an accepted socket as one that reads into memory that is kept, and gives `read` a view that holds until it
 * returns. Node offers that (`onread`) to sockets that connect, and not to those that a server accepts: this one is made around the
 * other's handle. A buffer taken and given back for every read costs a small request a tenth of its time, and a large body most of
 * its: V8 counts each as memory outside of its heap, and collects all of that again and again.
 *
 * @param into a buffer, which many sockets may share, since what was read is dealt with before anything else is read; or this one's own,
 *   from which parts may be kept.
 * @returns null where this Node keeps its handles elsewhere: `accepted` is to be used as it is, then.
 */
export function adoptedSocket(
  accepted: Socket,
  into: Buffer | ReadBuffer,
  read: (bytes: Buffer) => void,
): Socket | null {
  const holder = accepted as unknown as WithHandle;
  const handle = holder._handle;
  if (handle === null || handle === undefined) return null;
  holder._handle = null;
  const options = { handle, allowHalfOpen: accepted.allowHalfOpen, onread: onread(into, read) };
  const socket = new Socket(options as ConstructorParameters<typeof Socket>[0]);
  // Without its handle it is an empty shell, which only its server still counts.
  accepted.destroy();
  return socket;
}

function onread(into: Buffer | ReadBuffer, read: (bytes: Buffer) => void): OnReadOpts {
  if (into instanceof ReadBuffer) {
    // Asked for after each read.
    return { buffer: () => into.bytes, callback: (length) => into.dealt(length, read) };
  }
  const callback = (length: number): boolean => {
    read(into.subarray(0, length));
    return true;
  };
  return { buffer: into, callback };
}

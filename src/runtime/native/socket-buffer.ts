import { tryCall } from './native.ts';

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_SNDBUFFORCE = 32;
/** The kernel grants twice that, its own bookkeeping included. */
const ASKED_BYTES = 1024 * 1024;

/**
 * Has a Unix socket hold more of what is written to it. As it comes, a body of a megabyte goes through in five pieces, and for each one side
 * sleeps until the other has been woken up. Never throws: a socket of the usual size is slower, and no worse.
 */
export function widenSendBuffer(descriptor: number): void {
  const value = Buffer.alloc(4);
  value.writeInt32LE(ASKED_BYTES);
  const set = (option: number): number =>
    tryCall('setsockopt', [descriptor, SOL_SOCKET, option, value, value.length]);
  // The second gives at most what the system allows everybody (`net.core.wmem_max`), by default twice the usual size.
  if (set(SO_SNDBUFFORCE) < 0) set(SO_SNDBUF);
}

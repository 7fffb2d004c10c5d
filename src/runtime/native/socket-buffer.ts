import { tryCall } from './native.ts';

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_SNDBUFFORCE = 32;
/** The kernel grants twice that, its own bookkeeping included, and tells what it has granted. */
const ASKED_BYTES = 1024 * 1024;

/**
 * Has a Unix socket hold more of what is written to it, where it does not hold as much already. As it comes, a body of a megabyte goes through in
 * five pieces, and for each one side sleeps until the other has been woken up. Never throws: a socket of the usual size is slower, and no worse.
 */
export function widenSendBuffer(descriptor: number): void {
  const grantedBytes = sendBuffer(descriptor);
  if (grantedBytes === null || grantedBytes >= 2 * ASKED_BYTES) return;
  if (set(descriptor, SO_SNDBUFFORCE, ASKED_BYTES)) return;
  // At most what the system allows everybody (`net.core.wmem_max`), by default twice the usual size; less where somebody has lowered that.
  set(descriptor, SO_SNDBUF, ASKED_BYTES);
  if ((sendBuffer(descriptor) ?? grantedBytes) < grantedBytes) set(descriptor, SO_SNDBUF, grantedBytes / 2);
}

/** What it holds, in bytes; null where it is no socket. */
function sendBuffer(descriptor: number): number | null {
  const value = Buffer.alloc(4);
  const length = Buffer.alloc(4);
  length.writeInt32LE(value.length);
  const failed = tryCall('getsockopt', [descriptor, SOL_SOCKET, SO_SNDBUF, value, length]) < 0;
  return failed ? null : value.readInt32LE();
}

function set(descriptor: number, option: number, bytes: number): boolean {
  const value = Buffer.alloc(4);
  value.writeInt32LE(bytes);
  return tryCall('setsockopt', [descriptor, SOL_SOCKET, option, value, value.length]) === 0;
}

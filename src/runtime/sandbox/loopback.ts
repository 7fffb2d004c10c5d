import { closeSync } from 'node:fs';
import { call } from '../native/native.ts';

const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;
const NAME_BYTES = 16;

/** Brings a new network's loopback up, so that a component without a network still reaches itself. */
export function loopbackUp(): void {
  const socket = call('socket', [AF_INET, SOCK_DGRAM_CLOEXEC, 0]);
  try {
    // struct ifreq: a name and, here, flags.
    const request = Buffer.alloc(40);
    request.write('lo');
    request.writeInt16LE(IFF_UP, NAME_BYTES);
    call('ioctl', [socket, SIOCSIFFLAGS, request], 'lo up');
  } finally {
    closeSync(socket);
  }
}

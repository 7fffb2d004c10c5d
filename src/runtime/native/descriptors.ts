/**
 * File descriptors as the kernel knows them: pairs of sockets and pipes, and messages that carry descriptors from one
 * process to another. Everything here is synchronous, and closes on exec.
 */
import { addressOf, call, NativeError, tryCall } from './native.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const O_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const MSG_CTRUNC = 0x8;
const F_SETFD = 2;
const F_DUPFD_CLOEXEC = 1030;
const CLOSE_RANGE_CLOEXEC = 4;
const LAST_DESCRIPTOR = 0xffff_ffff;
const EAGAIN = 11;
const EINTR = 4;
const ECONNRESET = 104;

/** Descriptors that one message may carry; more would be lost by the receiver. */
const MAX_DESCRIPTORS = 8;
/** struct cmsghdr: u64 length, u32 level, u32 type; descriptors follow, padded to 8 bytes. */
const CONTROL_HEADER_BYTES = 16;
const CONTROL_BYTES = CONTROL_HEADER_BYTES + MAX_DESCRIPTORS * 4;
/** struct msghdr on both architectures. */
const MESSAGE_HEADER_BYTES = 56;

export function socketPair(): [number, number] {
  const pair = Buffer.alloc(8);
  call('socketpair', [AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair]);
  return [pair.readInt32LE(0), pair.readInt32LE(4)];
}

/** Its end to be read, and the one to be written. */
export function pipe(): [number, number] {
  const pair = Buffer.alloc(8);
  call('pipe2', [pair, O_CLOEXEC]);
  return [pair.readInt32LE(0), pair.readInt32LE(4)];
}

/** Never throws: a descriptor that is not open is closed. */
export function closeDescriptor(descriptor: number): void {
  tryCall('close', [descriptor]);
}

/** Another descriptor for what `descriptor` names. */
export function copyOf(descriptor: number): number {
  return call('fcntl', [descriptor, F_DUPFD_CLOEXEC, 0]);
}

/** Makes `to` name what `from` names; it stays open across exec. */
export function duplicate(from: number, to: number): void {
  call('dup3', [from, to, 0]);
}

/** Leaves standard input, output, error and `descriptor`, the next after them, open in the program that is executed next, and no other. */
export function keepOnlyOnExec(descriptor: 3): void {
  call('close_range', [descriptor + 1, LAST_DESCRIPTOR, CLOSE_RANGE_CLOEXEC]);
  call('fcntl', [descriptor, F_SETFD, 0]);
}

/** Leaves standard input, output and error open in the program that is executed next, and nothing else. */
export function keepStandardStreamsOnExec(): void {
  call('close_range', [3, LAST_DESCRIPTOR, CLOSE_RANGE_CLOEXEC]);
}

/** Writes all of `bytes`, waiting where it must. */
export function writeAll(descriptor: number, bytes: Uint8Array): void {
  let rest = bytes;
  while (rest.length > 0) {
    const written = tryCall('write', [descriptor, rest, rest.length]);
    if (written < 0 && written !== -EINTR) throw new NativeError('write', -written);
    if (written > 0) rest = rest.subarray(written);
  }
}

/**
 * Sends `bytes`, and `descriptors` with the first of them, without waiting.
 * @returns how many bytes went; 0 where the socket is full: the descriptors have not gone either then.
 */
export function sendWith(socket: number, bytes: Uint8Array, descriptors: readonly number[]): number {
  const data = vectorOf(bytes);
  let control: Buffer | null = null;
  if (descriptors.length > 0) {
    const length = CONTROL_HEADER_BYTES + descriptors.length * 4;
    control = Buffer.alloc(CONTROL_HEADER_BYTES + Math.ceil(descriptors.length / 2) * 8);
    control.writeBigUInt64LE(BigInt(length), 0);
    control.writeUInt32LE(SOL_SOCKET, 8);
    control.writeUInt32LE(SCM_RIGHTS, 12);
    for (const [i, descriptor] of descriptors.entries()) {
      control.writeInt32LE(descriptor, CONTROL_HEADER_BYTES + i * 4);
    }
  }
  const header = messageHeader(data, control, control?.length ?? 0);
  const sent = tryCall('sendmsg', [socket, header, MSG_DONTWAIT | MSG_NOSIGNAL]);
  if (sent === -EAGAIN || sent === -EINTR) return 0;
  if (sent < 0) throw new NativeError('sendmsg', -sent);
  return sent;
}

/** Reads messages with their descriptors from one socket, into memory that is made once. */
export class Receiver {
  readonly #socket: number;
  readonly #bytes: Buffer;
  readonly #vector: Buffer;
  readonly #control = Buffer.alloc(CONTROL_BYTES);
  readonly #header: Buffer;

  constructor(socket: number, maxBytes: number) {
    this.#socket = socket;
    this.#bytes = Buffer.alloc(maxBytes);
    this.#vector = vectorOf(this.#bytes);
    this.#header = messageHeader(this.#vector, this.#control, CONTROL_BYTES);
  }

  /**
   * What has come, at once or after waiting: null at the socket's end. `bytes` holds until the next call, and what was lost
   * because it carried too many descriptors is an error.
   */
  receive(): { bytes: Buffer; descriptors: number[] } | null {
    this.#header.writeBigUInt64LE(BigInt(CONTROL_BYTES), 40);
    let received: number;
    do {
      received = tryCall('recvmsg', [this.#socket, this.#header, MSG_CMSG_CLOEXEC]);
    } while (received === -EINTR);
    if (received === 0 || received === -ECONNRESET) return null;
    if (received < 0) throw new NativeError('recvmsg', -received);
    if ((this.#header.readInt32LE(48) & MSG_CTRUNC) !== 0) {
      throw new NativeError('recvmsg', 0, 'more descriptors than a message may carry');
    }
    return { bytes: this.#bytes.subarray(0, received), descriptors: this.#descriptors() };
  }

  #descriptors(): number[] {
    const found: number[] = [];
    const end = Number(this.#header.readBigUInt64LE(40));
    for (let at = 0; at + CONTROL_HEADER_BYTES <= end;) {
      const length = Number(this.#control.readBigUInt64LE(at));
      if (length < CONTROL_HEADER_BYTES) break;
      const ours =
        this.#control.readUInt32LE(at + 8) === SOL_SOCKET &&
        this.#control.readUInt32LE(at + 12) === SCM_RIGHTS;
      for (let i = at + CONTROL_HEADER_BYTES; ours && i + 4 <= at + length; i += 4) {
        found.push(this.#control.readInt32LE(i));
      }
      at += Math.ceil(length / 8) * 8;
    }
    return found;
  }
}

const POLLIN = 1;

/** Waits until one of `descriptors` can be read or has ended, at most `timeoutMs`. Gives which can, in their order. */
export function waitReadable(descriptors: readonly number[], timeoutMs: number | null): boolean[] {
  const polls = Buffer.alloc(descriptors.length * 8);
  for (const [i, descriptor] of descriptors.entries()) {
    polls.writeInt32LE(descriptor, i * 8);
    polls.writeInt16LE(POLLIN, i * 8 + 4);
  }
  const timeout = timeoutMs === null ? null : timespec(timeoutMs);
  let ready: number;
  do {
    ready = tryCall('ppoll', [polls, descriptors.length, timeout, null, 0]);
  } while (ready === -EINTR);
  if (ready < 0) throw new NativeError('ppoll', -ready);
  return descriptors.map((_, i) => polls.readInt16LE(i * 8 + 6) !== 0);
}

function timespec(ms: number): Buffer {
  const time = Buffer.alloc(16);
  time.writeBigInt64LE(BigInt(Math.floor(ms / 1_000)), 0);
  time.writeBigInt64LE(BigInt(Math.round((ms % 1_000) * 1e6)), 8);
  return time;
}

/** struct iovec. */
function vectorOf(bytes: Uint8Array): Buffer {
  const vector = Buffer.alloc(16);
  vector.writeBigUInt64LE(addressOf(bytes), 0);
  vector.writeBigUInt64LE(BigInt(bytes.length), 8);
  return vector;
}

function messageHeader(vector: Buffer, control: Buffer | null, controlBytes: number): Buffer {
  const header = Buffer.alloc(MESSAGE_HEADER_BYTES);
  header.writeBigUInt64LE(addressOf(vector), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(control === null ? 0n : addressOf(control), 32);
  header.writeBigUInt64LE(BigInt(controlBytes), 40);
  return header;
}

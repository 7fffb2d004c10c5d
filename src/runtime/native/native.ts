/**
 * The one file that calls foreign functions: nothing else in the project imports `node:ffi`, which is experimental in
 * Node 26. Everything goes through libc's `syscall()` and a handful of libc functions, each with its signature here; a
 * failure is a {@link NativeError} that carries the name of the call and of the error number.
 *
 * Loading it throws on anything but Linux with `node:ffi`, on x86-64 or arm64: whoever can do without looks at the
 * machine first (`sandbox/probe.ts`) and imports this file only then.
 */
import { dlopen, getCurrentEventLoop, getInt32, getRawPointer, getUint64, setUint64 } from 'node:ffi';
import { getSystemErrorName } from 'node:util';
import { syscallNumber, type Arch, type SyscallName } from './syscall-numbers.ts';

/** The architecture whose numbers and structures are used. */
export const arch: Arch = process.arch === 'arm64' ? 'arm64' : 'x64';

const { lib: program, functions: libc } = dlopen(null, {
  // Variadic in C. Both ABIs pass integers and pointers to a variadic function as to any other.
  syscall: {
    arguments: ['int64', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer'],
    return: 'int64',
  },
  __errno_location: { arguments: [], return: 'pointer' },
  fork: { arguments: [], return: 'int32' },
  _exit: { arguments: ['int32'], return: 'void' },
  memcpy: { arguments: ['pointer', 'pointer', 'uint64'], return: 'pointer' },
  uv_loop_fork: { arguments: ['pointer'], return: 'int32' },
  uv_update_time: { arguments: ['pointer'], return: 'void' },
});

/** What may be passed to a system call: numbers as they are, memory as its address, text as C's. */
export type Argument = number | bigint | string | NodeJS.ArrayBufferView | null;

/** A system call that failed. `code` is `EPERM` and the like, `call` the name of the system call. */
export class NativeError extends Error {
  override readonly name = 'NativeError';
  readonly call: string;
  readonly errno: number;
  readonly code: string;

  constructor(call: string, errno: number, detail = '') {
    const code = errorName(errno);
    super(`${call}${detail === '' ? '' : ` (${detail})`}: ${code}`);
    this.call = call;
    this.errno = errno;
    this.code = code;
  }
}

let rehearsing = false;
/** What gives descriptors that the caller will close, and changes nothing else. */
const REHEARSED_FOR_REAL: ReadonlySet<SyscallName> = new Set([
  'landlock_create_ruleset',
  'landlock_add_rule',
  'socket',
]);

/**
 * Runs `action` without its system calls: a {@link call} answers 0 and does nothing. For code that runs once in a forked
 * child and cannot be undone: gone through beforehand, it is compiled already when the child inherits it.
 */
export function rehearse(action: () => void): void {
  rehearsing = true;
  try {
    action();
  } finally {
    rehearsing = false;
  }
}

/** Makes the system call `name` and gives what it returned. Throws {@link NativeError}; its text names `detail` too. */
export function call(name: SyscallName, args: readonly Argument[], detail = ''): number {
  if (rehearsing && !REHEARSED_FOR_REAL.has(name)) return 0;
  const result = tryCall(name, args);
  if (result < 0) throw new NativeError(name, -result, detail);
  return result;
}

/** The same without the throw: what it returned, or the error number, negative. */
export function tryCall(name: SyscallName, args: readonly Argument[]): number {
  const number = syscallNumber(name, arch);
  return number === null ? -ENOSYS : rawCall(number, args);
}

function rawCall(number: number, args: readonly Argument[]): number {
  const [a, b, c, d, e, f] = args;
  const result = libc.syscall(
    BigInt(number),
    toPointer(a),
    toPointer(b),
    toPointer(c),
    toPointer(d),
    toPointer(e),
    toPointer(f),
  );
  // Read at once: whatever runs in between may set it anew.
  return result === -1n ? -lastErrno() : Number(result);
}

/** Bytes for a structure that holds the addresses of others, as they stand until `held` is dropped. */
export function addressOf(held: NodeJS.ArrayBufferView): bigint {
  return getRawPointer(held);
}

/**
 * libc's fork(2): 0 in the child, its process id in the parent. Safe only in a process whose V8 was started under the
 * launcher's filter and without helper threads. The child calls {@link afterFork} before anything else.
 */
export function fork(): number {
  const pid = libc.fork();
  if (pid < 0) throw new NativeError('fork', lastErrno());
  return pid;
}

/** Makes the event loop the child's own, and its idea of the time that of now: its parent may have waited for hours. */
export function afterFork(): void {
  const loop = getCurrentEventLoop();
  const failed = libc.uv_loop_fork(loop);
  if (failed < 0) throw new NativeError('uv_loop_fork', -failed);
  libc.uv_update_time(loop);
}

/** Has the C library tidy its heap and give back what is free, where it can. */
export function trimHeap(): void {
  if (addressIn('malloc_trim') === null) return;
  trim ??= program.getFunction('malloc_trim', { arguments: ['uint64'], return: 'int32' });
  trim(0n);
}

let trim: ((pad: bigint) => number) | null = null;

/** Where the program itself has what is called `name`; null where it exports no such symbol. */
export function addressIn(name: string): bigint | null {
  try {
    return program.getSymbol(name);
  } catch {
    return null;
  }
}

/** Copies `bytes` from one mapped place to another. */
export function copyMemory(from: bigint, to: bigint, bytes: bigint): void {
  libc.memcpy(to, from, bytes);
}

/** The eight bytes at `address`, which must be mapped. */
export function readWord(address: bigint): bigint {
  return getUint64(address);
}

/** Sets the eight bytes at `address`, which must be mapped and writable. */
export function writeWord(address: bigint, value: bigint): void {
  setUint64(address, 0, value);
}

/** Ends the process at once: nothing is flushed, no thread is waited for. */
export function exitNow(code: number): never {
  if (rehearsing) return undefined as never;
  libc._exit(code);
  throw new NativeError('_exit', 0);
}

export interface WaitedFor {
  readonly pid: number;
  readonly exitCode: number | null;
  /** The number of the signal that ended it. */
  readonly signal: number | null;
  /** User and system time of it and of the children that it has reaped, rounded up to whole ms: getrusage(2). */
  readonly cpuMs: number;
}

/** Reaps one child that has ended: any where `pid` is -1. Null where none has, or (with `wait`) where there is none. */
export function reap(pid: number, wait = false): WaitedFor | null {
  const status = Buffer.alloc(4);
  const usage = Buffer.alloc(RUSAGE_BYTES);
  const found = tryCall('wait4', [pid, status, wait ? 0 : WNOHANG, usage]);
  if (found <= 0) return null;
  const value = status.readInt32LE(0);
  const signal = value & 0x7f;
  const cpuMs = Math.ceil(timeMs(usage, 0) + timeMs(usage, 16));
  return signal === 0
    ? { pid: found, exitCode: (value >> 8) & 0xff, signal: null, cpuMs }
    : { pid: found, exitCode: null, signal, cpuMs };
}

/** A `struct timeval` of two 64-bit words: seconds and microseconds. */
function timeMs(bytes: Buffer, at: number): number {
  return Number(bytes.readBigInt64LE(at)) * 1_000 + Number(bytes.readBigInt64LE(at + 8)) / 1_000;
}

/** `struct rusage` where a word has 64 bits: two times of 16 bytes, and 14 words. */
const RUSAGE_BYTES = 144;

const WNOHANG = 1;
const ENOSYS = 38;

function lastErrno(): number {
  return getInt32(libc.__errno_location());
}

function toPointer(value: Argument | undefined): bigint | string | NodeJS.ArrayBufferView | null {
  if (typeof value === 'number') return BigInt.asUintN(64, BigInt(value));
  return value ?? null;
}

function errorName(errno: number): string {
  try {
    return getSystemErrorName(-errno);
  } catch {
    return `errno ${errno}`;
  }
}

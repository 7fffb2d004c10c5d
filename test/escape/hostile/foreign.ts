/** What any user code can do in Node 26: call the kernel by `node:ffi`, with no help from the project. */
import { dlopen, getInt32, getRawPointer } from 'node:ffi';
import { getSystemErrorName } from 'node:util';
import { syscallNumber, type SyscallName } from '../../../src/runtime/native/syscall-numbers.ts';

type Argument = number | bigint | string | NodeJS.ArrayBufferView | null;

const { functions: libc } = dlopen(null, {
  syscall: {
    arguments: ['int64', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer'],
    return: 'int64',
  },
  __errno_location: { arguments: [], return: 'pointer' },
  fork: { arguments: [], return: 'int32' },
});

/** Calls that the project itself has no use for. */
const MORE = {
  bind: [49, 200],
  connect: [42, 203],
  pidfd_open: [434, 434],
  pidfd_send_signal: [424, 424],
  tgkill: [234, 131],
} as const;

/** A copy of this process, as fork(2) makes it: 0 in the copy. */
export function fork(): number {
  const pid = libc.fork();
  if (pid < 0) throw failure();
  return pid;
}

/** Throws an error whose `code` is the error's name. */
export function sys(call: SyscallName | keyof typeof MORE | number, ...args: Argument[]): number {
  const number = numberOf(call);
  if (number === null) throw new Error(`this architecture has no ${call}`);
  const [a, b, c, d, e, f] = args.map((value) =>
    typeof value === 'number' ? BigInt.asUintN(64, BigInt(value)) : value,
  );
  const result = libc.syscall(
    BigInt(number),
    a ?? null,
    b ?? null,
    c ?? null,
    d ?? null,
    e ?? null,
    f ?? null,
  );
  if (result >= 0n) return Number(result);
  throw failure();
}

function numberOf(call: SyscallName | keyof typeof MORE | number): number | null {
  if (typeof call === 'number') return call;
  const arm = process.arch === 'arm64';
  if (call in MORE) return MORE[call as keyof typeof MORE][arm ? 1 : 0];
  return syscallNumber(call as SyscallName, arm ? 'arm64' : 'x64');
}

function failure(): Error {
  const code = getSystemErrorName(-getInt32(libc.__errno_location()));
  return Object.assign(new Error(code), { code });
}

export function addressOf(held: NodeJS.ArrayBufferView): bigint {
  return getRawPointer(held);
}

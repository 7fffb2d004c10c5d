import { readFileSync } from 'node:fs';
import { copyMemory, tryCall } from './native.ts';

const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MADV_HUGEPAGE = 14;
const MREMAP_MAYMOVE_FIXED = 3;
const HUGE_BYTES = 2n * 1024n * 1024n;

/**
 * Puts the program's own code on huge pages, for this process and its forks. What is mapped from a file a fork has to find
 * again, by some two hundred page faults in each child; of huge pages it inherits the tables, a few dozen entries.
 * The code is copied, and the copy moved to where the code was by one system call, so that no thread ever finds it gone.
 * @returns whether it was done. Where the system has no huge pages to give, or forbids this, all stays as it was.
 */
export function putTextOnHugePages(): boolean {
  const text = textOfProgram();
  if (text === null) return false;
  const { start, bytes } = text;
  const room = bytes + HUGE_BYTES;
  const place = tryCall('mmap', [null, Number(room), PROT_READ | PROT_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0]);
  if (place < 0) return false;
  const first = BigInt(place);
  // As far from a multiple of a huge page as the code is: only so can whole huge pages be moved.
  const copy = first + ((start - first) & (HUGE_BYTES - 1n));
  const drop = (from: bigint, to: bigint): void => {
    if (to > from) tryCall('munmap', [from, Number(to - from)]);
  };
  const length = Number(bytes);
  if (tryCall('madvise', [copy, length, MADV_HUGEPAGE]) < 0) {
    drop(first, first + room);
    return false;
  }
  copyMemory(start, copy, bytes);
  if (
    tryCall('mprotect', [copy, length, PROT_READ | PROT_EXEC]) < 0 ||
    tryCall('mremap', [copy, length, length, MREMAP_MAYMOVE_FIXED, start]) < 0
  ) {
    drop(first, first + room);
    return false;
  }
  drop(first, copy);
  drop(copy + bytes, first + room);
  return true;
}

function textOfProgram(): { start: bigint; bytes: bigint } | null {
  for (const line of readFileSync('/proc/self/maps', 'latin1').split('\n')) {
    const [range = '', access, , , , path] = line.split(/\s+/);
    if (access !== 'r-xp' || path !== process.execPath) continue;
    const [start, end] = range.split('-').map((hex) => BigInt(`0x${hex}`)) as [bigint, bigint];
    return { start, bytes: end - start };
  }
  return null;
}

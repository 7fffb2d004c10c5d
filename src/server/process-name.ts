import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { randomText } from '../base/ids.ts';
import { startOf } from './process-start.ts';

/** Where a process's number means something: the kernel since it was booted, and the namespace of numbers in it. Null where nobody tells. */
function placeHere(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1');
    const numbers = readlinkSync('/proc/self/ns/pid');
    return createHash('sha256').update(`${boot} ${numbers}`).digest('base64url').slice(0, 16);
  } catch {
    return null;
  }
}

const place = placeHere();
const ownStart = startOf(process.pid);

/** Names this process for all time, on whatever machine: `place.pid.start`, or something random where the system does not tell. */
export const PROCESS_NAME =
  place === null || ownStart === null ? randomText(16) : `${place}.${process.pid}.${ownStart}`;

/** Whether the process of that name has certainly ended; false where it lives, or nobody here can tell. */
export function hasEnded(name: string): boolean {
  const [where, pid, start, ...rest] = name.split('.');
  if (place === null || where !== place || rest.length > 0) return false;
  if (!/^\d{1,10}$/.test(pid ?? '') || !/^\d{1,20}$/.test(start ?? '')) return false;
  return startOf(Number(pid)) !== start;
}

import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';

export interface MachineMemory {
  /** What processes can still have without anything being swapped out or killed. */
  readonly availableBytes: number;
  /** Of the machine, or of the control group that the server is in where that has a bound. */
  readonly totalBytes: number;
}

/** With less than this part of its memory available the machine is pressed. */
const PRESSED = 0.1;

export function isPressed({ availableBytes, totalBytes }: MachineMemory): boolean {
  return availableBytes < totalBytes * PRESSED;
}

/** What the machine has, or the control group where that has a bound. */
export function machineBytes(): number {
  const total = totalmem();
  // 0 or beyond what the machine has where there is no bound.
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < total ? constrained : total;
}

/** Measures it; takes some tens of microseconds. */
export function machineMemory(): MachineMemory {
  const totalBytes = machineBytes();
  const availableBytes = process.availableMemory();
  if (totalBytes === totalmem()) return { availableBytes, totalBytes };
  // Files that the kernel keeps in memory count as used in a control group, and go as soon as somebody needs the room.
  return { availableBytes: Math.min(totalBytes, availableBytes + keptFilesBytes()), totalBytes };
}

/** Of the control group (version 2; `memory.stat`, `inactive_file`); 0 where nobody knows. */
function keptFilesBytes(): number {
  try {
    const path = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
    const stat = readFileSync(`/sys/fs/cgroup${path === '/' ? '' : path}/memory.stat`, 'utf8');
    return Number(/^inactive_file (\d+)$/m.exec(stat)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

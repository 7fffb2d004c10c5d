import { readFileSync } from 'node:fs';

/** When a process began, in the kernel's ticks: with the id it names one process for all time. Null where it does not live. */
export function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

import { readdirSync, readFileSync } from 'node:fs';

/** Resident memory of the processes together, in bytes; NaN where there is no /proc. */
export function residentBytes(pids: readonly number[]): number {
  let bytes = 0;
  for (const pid of pids) {
    try {
      const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
      bytes += Number(kilobytes ?? 0) * 1_024;
    } catch {
      return NaN;
    }
  }
  return bytes;
}

/** Looks at it a few times a second while `work` goes on. */
export async function peakBytes<T>(
  pids: readonly number[],
  work: () => Promise<T>,
): Promise<{ result: T; peak: number }> {
  let peak = residentBytes(pids);
  const timer = setInterval(() => {
    peak = Math.max(peak, residentBytes(pids));
  }, 50);
  try {
    return { result: await work(), peak };
  } finally {
    clearInterval(timer);
  }
}

/** Open descriptors of a process; NaN where there is no /proc. */
export function openDescriptors(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return NaN;
  }
}

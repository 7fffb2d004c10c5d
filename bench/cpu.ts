import { readFileSync } from 'node:fs';

/** The kernel's unit in /proc; 100 a second on every Linux that Node runs on. */
const TICK_MS = 10;

/** User and system time that the processes have used, in ms, to within 10 ms each; NaN where there is no /proc. */
export function cpuMs(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    try {
      // The name in parentheses may hold spaces; utime and stime are the 14th and 15th field, proc(5).
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ');
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      return NaN;
    }
  }
  return ticks * TICK_MS;
}

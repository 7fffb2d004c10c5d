import { constants } from 'node:os';
import { exitNow } from '../native/native.ts';

/** What ends no process, whether or not that listens for it. */
const HARMLESS: ReadonlySet<string> = new Set([
  'SIGCHLD',
  'SIGCONT',
  'SIGSTOP',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGURG',
  'SIGWINCH',
]);

/**
 * To the first of a process tree the kernel gives no signal from within that tree which it does not listen for: whoever ends itself by
 * one, as watchdogs and handlers that raise theirs again do, would go on. From now on such a `process.kill` ends it.
 */
export function endByOwnSignals(): void {
  const kill = process.kill.bind(process);
  process.kill = (pid: number, signal: string | number = 'SIGTERM'): true => {
    const number =
      typeof signal === 'number' ? signal : (constants.signals as Record<string, number>)[signal];
    const name = nameOf(number);
    const isOwn = pid === process.pid || pid === -process.pid || pid === 0;
    if (process.pid === 1 && isOwn && name !== null && !HARMLESS.has(name) && isUnheard(name)) {
      exitNow(128 + number!);
    }
    return kill(pid, signal);
  };
}

function nameOf(number: number | undefined): string | null {
  return Object.entries(constants.signals).find(([, known]) => known === number)?.[0] ?? null;
}

function isUnheard(name: string): boolean {
  return name === 'SIGKILL' || process.listenerCount(name) === 0;
}

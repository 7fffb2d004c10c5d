/** What a forked process does to itself and to its children, where Node has no way of its own. */
import { call, NativeError, tryCall } from './native.ts';

const PR_SET_PDEATHSIG = 1;
const PR_SET_CHILD_SUBREAPER = 36;
const ESRCH = 3;

export const SIGKILL = 9;

export function currentPid(): number {
  return call('getpid', []);
}

export function parentPid(): number {
  return call('getppid', []);
}

/** Leads a session, and so a process group, of its own from now on. */
export function newSession(): void {
  call('setsid', []);
}

/** SIGKILL comes when the thread that forked this process has ended. A change of user takes this back. */
export function endWithParent(): void {
  call('prctl', [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0], 'end with its parent');
}

/** Inherits, from now on, the orphans among its descendants, to reap them. */
export function inheritOrphans(): void {
  call('prctl', [PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0], 'inherit orphans');
}

const SIG_SETMASK = 2;
const SIGNAL_SET_BYTES = 8;

/**
 * Holds signals back that come to this process, and to those that it forks, until the function that is given back is called there.
 * A signal that comes to a fork at once would be written to its parent's event loop, and be lost: its own is not made yet.
 */
export function holdSignals(): () => void {
  const all = Buffer.alloc(SIGNAL_SET_BYTES, 0xff);
  const before = Buffer.alloc(SIGNAL_SET_BYTES);
  call('rt_sigprocmask', [SIG_SETMASK, all, before, SIGNAL_SET_BYTES]);
  return () => void call('rt_sigprocmask', [SIG_SETMASK, before, null, SIGNAL_SET_BYTES]);
}

/** Signals a process, or a group where `pid` is negative. @returns whether there is one. */
export function sendSignal(pid: number, signal: number): boolean {
  const result = tryCall('kill', [pid, signal]);
  if (result === -ESRCH) return false;
  if (result < 0) throw new NativeError('kill', -result);
  return true;
}

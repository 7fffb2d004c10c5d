import { closeSync, openSync, writeFileSync } from 'node:fs';
import { afterFork, call, exitNow, fork, reap } from '../native/native.ts';
import type { Owner } from './mounts.ts';
import type { BlankPlan, Namespace } from './plan.ts';

/** The kernel's flags, as clone(2) and unshare(2) take them. */
export const CLONE: Readonly<Record<Namespace, number>> = {
  mnt: 0x0002_0000,
  cgroup: 0x0200_0000,
  uts: 0x0400_0000,
  ipc: 0x0800_0000,
  user: 0x1000_0000,
  pid: 0x2000_0000,
  net: 0x4000_0000,
};

/** How an ordinary user's component is called inside its user namespace. */
export const ORDINARY: Owner = { uid: 1000, gid: 1000 };
const ROOT: Owner = { uid: 0, gid: 0 };
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/**
 * Forks a child that will enter `plan`, already PID 1 of a process tree of its own where the plan says so: 0 in the child
 * (its event loop made its own), the child's process id in the parent, as the parent counts. The parent's later children
 * are not in that tree.
 */
export function forkInto(plan: Pick<BlankPlan, 'ownProcesses'>): number {
  // Leaving the process tree concerns children only, and is taken back by entering one's own again.
  const own = plan.ownProcesses ? openSync('/proc/self/ns/pid', 'r') : -1;
  if (own >= 0) call('unshare', [CLONE.pid], 'process tree');
  let pid = -1;
  try {
    pid = fork();
    if (pid === 0) afterFork();
  } finally {
    if (own >= 0) {
      if (pid !== 0) call('setns', [own, CLONE.pid], 'process tree');
      closeSync(own);
    }
  }
  return pid;
}

/**
 * Goes on as root of a user namespace that holds nobody else, and as PID 1 of a process tree that belongs to it: an ordinary
 * user's process may make the other namespaces then. Once, in the process from which function zygotes are to fork, before
 * it does anything else. It goes on in a grandchild; the process that called it waits, and ends as that one ends.
 * Throws {@link NativeError} where the machine does not allow it after all: in the process that called it.
 */
export function becomeNamespaceRoot(): void {
  const user: Owner = { uid: process.getuid!(), gid: process.getgid!() };
  // A process with several threads, as every Node starts, cannot leave its user namespace; a forked one has a single one.
  if (fork() !== 0) waitAndEnd();
  afterFork();
  endWithParent();
  call('unshare', [CLONE.user], 'user namespace');
  mapUser({ inside: ROOT, outside: user });
  call('unshare', [CLONE.pid], 'process tree');
  if (fork() !== 0) waitAndEnd();
  afterFork();
  endWithParent();
}

/** Of the user namespace that this process has just entered. */
export function mapUser({ inside, outside }: { inside: Owner; outside: Owner }): void {
  // Where groups could still be given up, a file that refuses its group would open.
  writeFileSync('/proc/self/setgroups', 'deny');
  writeFileSync('/proc/self/uid_map', `${inside.uid} ${outside.uid} 1`);
  writeFileSync('/proc/self/gid_map', `${inside.gid} ${outside.gid} 1`);
}

function waitAndEnd(): never {
  const end = reap(-1, true);
  exitNow(end?.exitCode ?? 128 + (end?.signal ?? 0));
}

function endWithParent(): void {
  call('prctl', [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0], 'end with its parent');
}

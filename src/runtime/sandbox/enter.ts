/**
 * Carries a plan out on the process that calls it, which must have one thread (a forked child before it has loaded user
 * code) or be about to execute another program. Everything here is synchronous and cannot be undone. The order matters:
 * each step needs rights that a later one gives up.
 *
 *   cgroup → namespaces → system files │ network, hostname → its own files → limits → user → privileges → Landlock → seccomp
 *
 * Left of the bar nothing is known of the component yet: a process may wait there.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FulcrumError, messageOf } from '../../base/errors.ts';
import { exhaustedCode, resourcesExhausted } from '../../base/exhausted.ts';
import { arch, call, rehearse } from '../native/native.ts';
import { forbidNewPrivileges, installFilter } from '../native/seccomp.ts';
import { joinCgroups } from './cgroup.ts';
import { createRuleset, restrictSelf } from './landlock.ts';
import { loopbackUp } from './loopback.ts';
import { beginTree, finishTree, type Owner } from './mounts.ts';
import { CLONE, mapUser, ORDINARY } from './namespaces.ts';
import type { BlankPlan, SandboxPlan } from './plan.ts';
import { rulesOf } from './rules.ts';
import { seccompProgram } from './seccomp-policy.ts';

const PR_SET_PDEATHSIG = 1;
const PR_SET_DUMPABLE = 4;
const SIGKILL = 9;
const RLIMIT_CORE = 4;
const RLIMIT_NPROC = 6;
const RLIMIT_NOFILE = 7;
const CAPABILITY_VERSION_3 = 0x20080522;
const REHEARSALS = 3;

/** What a step took, by its name; for measurements. */
export type OnStep = (step: string, tookMs: number) => void;

/** Steps out of the host, before it is known for whom. {@link enterComponent} must follow before any user code. */
export function enterBlank(plan: BlankPlan, onStep: OnStep = () => undefined): void {
  const step = stepper('a component', onStep);
  const { cgroup, mountPoint } = plan;
  if (cgroup !== null) step('cgroup', () => joinCgroups(cgroup));
  const flags = plan.namespaces.filter((name) => name !== 'net').reduce((all, name) => all | CLONE[name], 0);
  if (flags !== 0) step('namespaces', () => call('unshare', [flags]));
  if (mountPoint !== null) step('system files', () => beginTree(mountPoint, plan.route === 'root'));
  step('end', endWithParent);
}

/** Goes the rest of the way. Throws `start-failed` (or `resources-exhausted`), which names the step; the process is then in no state to run anything. */
export function enterComponent(plan: SandboxPlan, onStep: OnStep = () => undefined): void {
  const step = stepper(`"${plan.component}"`, onStep);
  const owner = plan.uid === null ? currentUser() : { uid: plan.uid, gid: plan.uid };
  const user = plan.route === 'user-namespace' ? ORDINARY : owner;
  const { hostname, mountPoint, seccomp } = plan;
  if (plan.namespaces.includes('net')) {
    step('network', () => {
      call('unshare', [CLONE.net]);
      loopbackUp();
    });
  }
  if (hostname !== null) step('hostname', () => setHostname(hostname));
  if (mountPoint !== null) step('files', () => finishTree(plan, mountPoint, owner, user));
  step('limits', () => setLimits(plan));
  step('user', () => becomeUser(plan, owner));
  step('privileges', () => {
    forbidNewPrivileges();
    dropCapabilities();
    // Both are reset by a change of user, so they come after it.
    call('prctl', [PR_SET_DUMPABLE, traceable(plan) ? 1 : 0, 0, 0, 0], 'traces');
    endWithParent();
  });
  if (plan.landlockAbi > 0) {
    step('landlock', () => restrictSelf(createRuleset(plan.landlockAbi, rulesOf(plan))));
  }
  if (seccomp !== null) step('calls', () => installFilter(seccompProgram(arch, seccomp)));
}

/** Both halves at once. */
export function enterSandbox(plan: SandboxPlan, onStep?: OnStep): void {
  enterBlank(plan, onStep);
  enterComponent(plan, onStep);
}

/**
 * Goes through the motions in the process from which components fork, so that they inherit compiled code: a first entry
 * took 8 ms without it and 3 ms with. `scratchFolder` is an empty folder, and empty again afterwards.
 */
export function rehearseSandbox(plan: SandboxPlan, scratchFolder: string): void {
  const cwd = process.cwd();
  const rehearsed: SandboxPlan = {
    ...plan,
    route: 'root',
    uid: process.getuid!(),
    cgroup: null,
    mountPoint: scratchFolder,
    // What is made for these are descriptors, which are not there in a rehearsal.
    tree: { ...plan.tree, owned: [], writable: [] },
  };
  for (let turn = 0; turn < REHEARSALS; turn++) {
    try {
      rehearse(() => enterSandbox(rehearsed));
    } finally {
      process.chdir(cwd);
      for (const name of readdirSync(scratchFolder)) {
        rmSync(join(scratchFolder, name), { recursive: true, force: true });
      }
    }
  }
}

/**
 * A process that leaves no traces can be looked into by root only. A server that is not root could not measure what its
 * instances hold; there Landlock keeps each out of the others.
 */
function traceable(plan: SandboxPlan): boolean {
  return plan.uid === null && plan.landlockAbi > 0;
}

function stepper(of: string, onStep: OnStep): (name: string, action: () => void) => void {
  return (name, action) => {
    const begun = performance.now();
    try {
      action();
    } catch (error) {
      const text = `The sandbox of ${of} could not be entered (${name}): ${messageOf(error)}.`;
      const exhausted = exhaustedCode(error);
      if (exhausted !== null)
        throw resourcesExhausted(`The sandbox of ${of} could not be entered (${name})`, exhausted, error);
      throw new FulcrumError('start-failed', text, { cause: error });
    }
    onStep(name, performance.now() - begun);
  };
}

function currentUser(): Owner {
  return { uid: process.getuid!(), gid: process.getgid!() };
}

function endWithParent(): void {
  call('prctl', [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0], 'end with its parent');
}

function setHostname(name: string): void {
  const bytes = Buffer.from(name);
  call('sethostname', [bytes, bytes.length]);
}

function setLimits(plan: SandboxPlan): void {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, plan.openFiles);
  // Counted by user, and per user namespace: where it shares its user with everything else, others' would count as well.
  if (plan.uid !== null || plan.route === 'user-namespace') limit(RLIMIT_NPROC, plan.processes);
}

/** Lowers a limit, soft and hard; never raises it. */
function limit(resource: number, value: number): void {
  const before = Buffer.alloc(16);
  call('prlimit64', [0, resource, null, before]);
  const hard = before.readBigUInt64LE(8);
  const wanted = BigInt(value);
  const lower = wanted < hard ? wanted : hard;
  const after = Buffer.alloc(16);
  after.writeBigUInt64LE(lower, 0);
  after.writeBigUInt64LE(lower, 8);
  call('prlimit64', [0, resource, after, null]);
}

function becomeUser(plan: SandboxPlan, owner: Owner): void {
  if (plan.route === 'user-namespace') {
    // A second namespace, in which it has no rights over what the first one made, and counts its processes alone.
    call('unshare', [CLONE.user], 'user namespace');
    mapUser({ inside: ORDINARY, outside: owner });
    return;
  }
  if (plan.uid === null) return;
  const { uid, gid } = owner;
  call('setgroups', [0, null]);
  call('setresgid', [gid, gid, gid]);
  call('setresuid', [uid, uid, uid]);
}

function dropCapabilities(): void {
  // struct __user_cap_header, and two of __user_cap_data: effective, permitted and inheritable, all empty.
  const header = Buffer.alloc(8);
  header.writeUInt32LE(CAPABILITY_VERSION_3, 0);
  call('capset', [header, Buffer.alloc(24)]);
}

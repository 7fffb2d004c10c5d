import type { CgroupSite } from './cgroup-site.ts';

/** What this machine, and this user on it, can give a sandbox. Read by `probe.ts`; everything else is a function of it. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  readonly kernel: string;
  /** Whether Node can call foreign functions here, without which nothing below can be used. */
  readonly ffi: boolean;
  readonly uid: number;
  readonly gid: number;
  readonly capabilities: Capabilities;
  /** 0: none. */
  readonly landlockAbi: number;
  readonly seccomp: boolean;
  /** As the kernel names them: mnt, pid, net, ipc, uts, cgroup, user. */
  readonly namespaces: readonly string[];
  /** Why an ordinary user may not make user namespaces; null where one may. */
  readonly userNamespacesRefused: string | null;
  /** Why an attempt to make namespaces failed, where one was made and did; see trial.ts. */
  readonly namespacesFailed?: string;
  /** The user ids that exist in this process' user namespace. */
  readonly uidRanges: readonly UidRange[];
  readonly cgroups: CgroupSite;
}

export interface Capabilities {
  /** Mounts and namespaces (CAP_SYS_ADMIN). */
  readonly administrate: boolean;
  /** Another user's id (CAP_SETUID and CAP_SETGID). */
  readonly changeUser: boolean;
}

export interface UidRange {
  readonly first: number;
  readonly count: number;
}

const CAP_SETGID = 6n;
const CAP_SETUID = 7n;
const CAP_SYS_ADMIN = 21n;

/** From the text of `/proc/self/status`. */
export function capabilitiesOf(status: string): Capabilities {
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  const effective = BigInt(`0x${hex}`);
  const has = (capability: bigint): boolean => ((effective >> capability) & 1n) === 1n;
  return { administrate: has(CAP_SYS_ADMIN), changeUser: has(CAP_SETUID) && has(CAP_SETGID) };
}

/** From the text of `/proc/self/uid_map`. */
export function uidRangesOf(map: string): UidRange[] {
  return map
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter((fields) => fields.length === 3 && fields.every(Number.isSafeInteger))
    .map(([first, , count]) => ({ first: first!, count: count! }));
}

/** From the texts of three files below `/proc/sys`; null where the kernel has no such file. */
export function userNamespaceRefusal(settings: {
  readonly maxUserNamespaces: string | null;
  readonly unprivilegedUsernsClone: string | null;
  readonly apparmorRestrictsUserns: string | null;
}): string | null {
  if (settings.maxUserNamespaces === null) return 'the kernel has no user namespaces';
  if (settings.maxUserNamespaces.trim() === '0') {
    return 'user namespaces are switched off (sysctl user.max_user_namespaces is 0)';
  }
  if (settings.unprivilegedUsernsClone?.trim() === '0') {
    return 'user namespaces are for root only (sysctl kernel.unprivileged_userns_clone is 0)';
  }
  if (settings.apparmorRestrictsUserns?.trim() === '1') {
    return 'AppArmor restricts user namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns is 1)';
  }
  return null;
}

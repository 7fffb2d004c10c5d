import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { cgroupSite, type CgroupSite } from './cgroup-site.ts';
import { capabilitiesOf, uidRangesOf, userNamespaceRefusal, type Machine } from './machine.ts';

/**
 * Looks at the machine. Changes nothing, starts nothing and throws nothing; takes some milliseconds. What only an attempt
 * can tell (a container's own seccomp filter, a security module) comes to light when a sandbox is entered.
 */
export async function probeMachine(): Promise<Machine> {
  const kernelSays = await askKernel();
  return {
    platform: process.platform,
    arch: process.arch,
    kernel: release(),
    ffi: kernelSays !== null,
    uid: process.getuid?.() ?? -1,
    gid: process.getgid?.() ?? -1,
    capabilities: capabilitiesOf(read('/proc/self/status') ?? ''),
    landlockAbi: kernelSays?.landlockAbi ?? 0,
    seccomp: kernelSays?.seccomp ?? false,
    namespaces: list('/proc/self/ns'),
    userNamespacesRefused: userNamespaceRefusal({
      maxUserNamespaces: read('/proc/sys/user/max_user_namespaces'),
      unprivilegedUsernsClone: read('/proc/sys/kernel/unprivileged_userns_clone'),
      apparmorRestrictsUserns: read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'),
    }),
    uidRanges: uidRangesOf(read('/proc/self/uid_map') ?? ''),
    cgroups: readCgroupSite(),
  };
}

export function readCgroupSite(): CgroupSite {
  return cgroupSite(read('/proc/self/cgroup') ?? '', read('/proc/self/mountinfo') ?? '', {
    writable,
    controllers: (path) => (read(`${path}/cgroup.controllers`) ?? '').trim().split(/\s+/),
  });
}

const LANDLOCK_CREATE_RULESET_VERSION = 1;
const SECCOMP_GET_ACTION_AVAIL = 2;
const SECCOMP_RET_ERRNO = 0x00050000;

async function askKernel(): Promise<{ landlockAbi: number; seccomp: boolean } | null> {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64')) return null;
  try {
    // Where Node has no foreign functions, the import is what fails.
    const { tryCall } = await import('../native/native.ts');
    const action = Buffer.alloc(4);
    action.writeUInt32LE(SECCOMP_RET_ERRNO);
    return {
      landlockAbi: Math.max(
        0,
        tryCall('landlock_create_ruleset', [null, 0, LANDLOCK_CREATE_RULESET_VERSION]),
      ),
      seccomp: tryCall('seccomp', [SECCOMP_GET_ACTION_AVAIL, 0, action]) === 0,
    };
  } catch {
    return null;
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

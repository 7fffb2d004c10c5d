import { CONTROLLERS, type CgroupFolder, type Controller } from './cgroup-site.ts';
import type { Layer, LayerName } from './layers.ts';
import type { Machine } from './machine.ts';

/** What a component is allowed, and where it lies. */
export interface SandboxRequest {
  readonly component: string;
  /**
   * `function`: a zygote, forked and then PID 1 of its process tree, from which instances fork. `program`: anything that is
   * executed: a service, an instance of the spawn engine, a command.
   */
  readonly kind: 'function' | 'program';
  readonly network: 'none' | 'full';
  /** Its own user id, where {@link Machine} lets it have one; see uid.ts. */
  readonly uid: number | null;
  /** Why it has none, where `uid` is null for another reason than the machine's. */
  readonly uidMissing?: string;
  /** What belongs to somebody else, as its own; needs `uid`. */
  readonly owned?: readonly OwnedFiles[];
  /** Files and folders to be seen and read, beside the system's: bundle, runtime, Node, native packages. */
  readonly readable: readonly string[];
  /** Files and folders that may be written: `storage`. Real paths: where a link is found on the way at the start, there is none. */
  readonly writable: readonly string[];
  /** Unix sockets that may be connected to: the server's. */
  readonly sockets: readonly string[];
  /** Seen as empty, though they lie below something readable: `.env` files. */
  readonly hidden: readonly string[];
  /** An empty folder, on which the new file tree is put together. Every sandbox may use the same one. */
  readonly mountPoint: string;
  /** Temporary files where it has no file tree of its own: a folder that it may write. */
  readonly tmpFolder: string;
  readonly tmpBytes: number;
  readonly openFiles: number;
  /** Processes and threads, of all instances together. */
  readonly processes: number;
  /** Of all instances together; null: no bound beside the instances' own. */
  readonly memoryBytes: number | null;
  /** 1 to 10,000, 100 where nothing else is wanted; as cgroup v2's cpu.weight. */
  readonly cpuWeight: number;
  /**
   * Of its control group. Any name will do that nobody else uses: a group may be made, and joined by a process that is kept
   * ready, before it is known whose it will be.
   */
  readonly cgroupName: string;
}

/**
 * Files and folders that a component sees as belonging to it, though on disk they are somebody else's: mounted with mapped
 * ids, so that it reads what only its owner may, and what it writes is the owner's again outside.
 */
export interface OwnedFiles {
  /** A path that leads to a user namespace in which the owner is mapped to the component's user; see owned-files.ts. */
  readonly namespace: string;
  /** Of `readable` and `writable`, those that are to be mounted so. Their file systems must allow it. */
  readonly paths: readonly string[];
}

/**
 * How a sandbox gets the right to make namespaces:
 *
 *   root            it has CAP_SYS_ADMIN
 *   user-namespace  an ordinary user, who is first made root of a user namespace that holds nobody else
 *   plain           neither: Landlock, seccomp and limits only
 */
export type Route = 'root' | 'user-namespace' | 'plain';

/**
 * The part of a plan that says nothing of the component: with it a process can wait inside its namespaces and control group,
 * which takes most of the time, until a component needs one.
 */
export type BlankPlan = Pick<SandboxPlan, 'route' | 'namespaces' | 'ownProcesses' | 'mountPoint' | 'cgroup'>;

/** A sandbox as it will be entered: everything decided, nothing done. Plain data, to be sent to another process. */
export interface SandboxPlan {
  readonly component: string;
  readonly kind: SandboxRequest['kind'];
  readonly route: Route;
  readonly layers: readonly Layer[];
  /** The user to become; null: it stays who it is. */
  readonly uid: number | null;
  /** Which of mnt, ipc, uts, net and cgroup to leave, in one call. `pid` is left by its parent, before the fork. */
  readonly namespaces: readonly Namespace[];
  readonly ownProcesses: boolean;
  /** Where the new file tree is put together; null: no tree of its own, and the lists bind by Landlock only. */
  readonly mountPoint: string | null;
  readonly tree: FileTree;
  readonly hostname: string | null;
  /** 0: none. */
  readonly landlockAbi: number;
  readonly seccomp: { readonly sharedIpc: boolean; readonly internet: boolean } | null;
  readonly openFiles: number;
  readonly processes: number;
  readonly cgroup: CgroupPlan | null;
}

export type Namespace = 'mnt' | 'ipc' | 'uts' | 'net' | 'cgroup' | 'pid' | 'user';

export interface FileTree {
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  readonly sockets: readonly string[];
  readonly hidden: readonly string[];
  /** Of `readable`, what lies inside something hidden and is seen all the same. */
  readonly uncovered: readonly string[];
  readonly owned: readonly OwnedFiles[];
  /** `/tmp` in a tree of its own. */
  readonly tmpFolder: string;
  readonly tmpBytes: number;
}

export interface CgroupPlan {
  /** Of the component's own group, below each of `folders`. */
  readonly name: string;
  readonly folders: Readonly<Partial<Record<Controller, CgroupFolder>>>;
  readonly memoryBytes: number | null;
  readonly processes: number;
  readonly cpuWeight: number;
}

const ABI_WITH_SCOPES = 6;

/** What of a sandbox `machine` can give `request`; every layer is listed, and where one is missing, why. */
export function planSandbox(machine: Machine, request: SandboxRequest): SandboxPlan {
  const { route, refused } = routeOf(machine, request.kind);
  const layers: Layer[] = [];
  const decide = (name: LayerName, missing: string | null): boolean => {
    layers.push(missing === null ? { name, state: 'on' } : { name, state: 'missing', reason: missing });
    return missing === null;
  };
  const unasked = (name: LayerName, reason: string): boolean => {
    layers.push({ name, state: 'unasked', reason });
    return false;
  };
  const namespace = (name: Namespace): string | null =>
    refused ?? (machine.namespaces.includes(name) ? null : `the kernel has no ${name} namespaces`);

  const ownUser = decideUser(machine, request, route, decide, unasked);
  const ownTree = decide('files', namespace('mnt'));
  const ownProcesses =
    request.kind === 'function'
      ? decide('processes', namespace('pid'))
      : ownUser && ownTree
        ? unasked(
            'processes',
            'a program is not made PID 1, which would not hear SIGTERM; its own user and a /proc that hides others stand for it',
          )
        : decide(
            'processes',
            'a program has none (as PID 1 it would not hear SIGTERM), and here no user of its own either',
          );
  const ownIpc = decide('ipc', namespace('ipc'));
  const ownNetwork = decideNetwork(machine, request, namespace('net'), decide, unasked);
  const ownName = decide('hostname', namespace('uts'));
  const landlock = decide('landlock', landlockMissing(machine, 1));
  decide('scopes', landlockMissing(machine, ABI_WITH_SCOPES));
  const filtered = decide('calls', seccompMissing(machine));
  decide('privileges', machine.ffi ? null : NO_FFI);
  decide('limits', machine.ffi ? null : NO_FFI);
  const cgroup = decideCgroup(machine, request, decide, unasked);
  const namespaces: Namespace[] = [];
  if (ownTree) namespaces.push('mnt');
  if (ownIpc) namespaces.push('ipc');
  if (ownName) namespaces.push('uts');
  if (ownNetwork) namespaces.push('net');
  // It hides where in the machine's tree the component stands.
  if (namespace('cgroup') === null) namespaces.push('cgroup');
  return {
    component: request.component,
    kind: request.kind,
    route,
    layers,
    uid: ownUser ? request.uid : null,
    namespaces,
    ownProcesses,
    mountPoint: ownTree ? request.mountPoint : null,
    tree: {
      readable: outermost(request.readable),
      writable: outermost(request.writable),
      sockets: request.sockets,
      hidden: outermost(request.hidden),
      uncovered: outermost(
        request.readable.filter((path) =>
          request.hidden.some((covered) => path !== covered && isWithin(path, covered)),
        ),
      ),
      owned: ownUser && ownTree ? (request.owned ?? []) : [],
      tmpFolder: ownTree ? '/tmp' : request.tmpFolder,
      tmpBytes: request.tmpBytes,
    },
    hostname: ownName ? request.component : null,
    landlockAbi: landlock ? machine.landlockAbi : 0,
    seccomp: filtered
      ? {
          sharedIpc: request.kind === 'program' && ownIpc,
          internet: request.network === 'full' || ownNetwork,
        }
      : null,
    openFiles: request.openFiles,
    processes: request.processes,
    cgroup,
  };
}

/** `plan` without the control groups that could not be made; `failed` says why, by controller. */
export function withoutControllers(
  plan: SandboxPlan,
  failed: Readonly<Partial<Record<Controller, string>>>,
): SandboxPlan {
  const { cgroup } = plan;
  if (cgroup === null || Object.keys(failed).length === 0) return plan;
  const folders = Object.fromEntries(
    Object.entries(cgroup.folders).filter(([controller]) => !(controller in failed)),
  );
  const layers = plan.layers.map((layer): Layer => {
    const reason = layer.state === 'on' ? failed[layer.name as Controller] : undefined;
    return reason === undefined ? layer : { name: layer.name, state: 'missing', reason };
  });
  return { ...plan, layers, cgroup: Object.keys(folders).length === 0 ? null : { ...cgroup, folders } };
}

type Decide = (name: LayerName, missing: string | null) => boolean;
type Unasked = (name: LayerName, reason: string) => boolean;

const NO_FFI = 'Node cannot call foreign functions here';

/** The route of a sandbox, and why there is no other. */
export function routeOf(
  machine: Machine,
  kind: SandboxRequest['kind'],
): { route: Route; /** Why there are no namespaces. */ refused: string | null } {
  if (machine.platform !== 'linux') return { route: 'plain', refused: 'this is not Linux' };
  if (!machine.ffi) return { route: 'plain', refused: NO_FFI };
  if (machine.namespacesFailed !== undefined) return { route: 'plain', refused: machine.namespacesFailed };
  if (machine.capabilities.administrate) return { route: 'root', refused: null };
  if (machine.uid === 0) {
    return { route: 'plain', refused: 'this root has no CAP_SYS_ADMIN, as in most containers' };
  }
  if (machine.userNamespacesRefused !== null) {
    return { route: 'plain', refused: machine.userNamespacesRefused };
  }
  if (kind === 'program') {
    return {
      route: 'plain',
      refused:
        'only root can give it to a program that is executed; an ordinary user can to functions of the fork engine',
    };
  }
  return { route: 'user-namespace', refused: null };
}

function decideUser(
  machine: Machine,
  request: SandboxRequest,
  route: Route,
  decide: Decide,
  unasked: Unasked,
): boolean {
  if (route === 'user-namespace') {
    return unasked('user', 'a user namespace of its own stands for it: the same user outside, nobody inside');
  }
  if (!machine.ffi) return decide('user', NO_FFI);
  if (!machine.capabilities.changeUser) {
    return decide(
      'user',
      "only root can give it one; it runs as the user who started Fulcrum, and can connect to that user's Unix sockets (session bus, docker.sock, SSH agent, Fulcrum's own)",
    );
  }
  if (request.uid !== null) return decide('user', null);
  return decide('user', request.uidMissing ?? 'the user ids for components do not exist here');
}

function decideNetwork(
  machine: Machine,
  request: SandboxRequest,
  missing: string | null,
  decide: Decide,
  unasked: Unasked,
): boolean {
  if (request.network === 'full') return unasked('network', "network: 'full' is the host's");
  if (missing !== null && seccompMissing(machine) === null) {
    unasked('network', `no namespace (${missing}); sockets of the Internet are refused by seccomp instead`);
    return false;
  }
  return decide('network', missing);
}

function decideCgroup(
  machine: Machine,
  request: SandboxRequest,
  decide: Decide,
  unasked: Unasked,
): CgroupPlan | null {
  const { folders, missing } = machine.cgroups;
  const used: Partial<Record<Controller, CgroupFolder>> = {};
  for (const controller of CONTROLLERS) {
    const folder = folders[controller];
    if (controller === 'memory' && request.memoryBytes === null) {
      unasked('memory', 'the component as a whole has no bound');
    } else if (folder === undefined) {
      decide(controller, missing[controller] ?? 'control groups are not mounted here');
    } else {
      decide(controller, null);
      used[controller] = folder;
    }
  }
  if (Object.keys(used).length === 0) return null;
  return {
    name: request.cgroupName,
    folders: used,
    memoryBytes: request.memoryBytes,
    processes: request.processes,
    cpuWeight: request.cpuWeight,
  };
}

function landlockMissing(machine: Machine, abi: number): string | null {
  if (!machine.ffi) return NO_FFI;
  if (machine.landlockAbi === 0)
    return `the kernel (${machine.kernel}) has no Landlock, or it is switched off`;
  if (machine.landlockAbi >= abi) return null;
  return `the kernel's Landlock is of version ${machine.landlockAbi}; ${abi} came with Linux 6.12`;
}

function seccompMissing(machine: Machine): string | null {
  if (!machine.ffi) return NO_FFI;
  return machine.seccomp ? null : 'the kernel has no seccomp filters';
}

/** `paths` without those that lie below another of them. */
export function outermost(paths: readonly string[]): string[] {
  const kept: string[] = [];
  for (const path of [...new Set(paths)].sort((a, b) => a.length - b.length)) {
    if (!kept.some((outer) => isWithin(path, outer))) kept.push(path);
  }
  return kept;
}

export function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}

import { createCgroups, emptyCgroups } from './cgroup.ts';
import type { Controller } from './cgroup-site.ts';
import type { Machine } from './machine.ts';
import {
  planSandbox,
  type BlankPlan,
  type CgroupPlan,
  type SandboxPlan,
  type SandboxRequest,
} from './plan.ts';

const MB = 1024 * 1024;
/** Of groups that were given back, as to look costs time. */
const MAX_LOOKED_AT = 4;

/** Bounded as nobody's; other bounds are written once it is known whose it is. The network is left later, by those who do. */
const ANYBODY: Omit<SandboxRequest, 'mountPoint' | 'tmpFolder' | 'cgroupName'> = {
  component: 'nobody-yet',
  kind: 'function',
  network: 'full',
  uid: null,
  readable: [],
  writable: [],
  sockets: [],
  hidden: [],
  tmpBytes: MB,
  openFiles: 1_024,
  processes: 64,
  memoryBytes: 256 * MB,
  cpuWeight: 100,
};

/**
 * Where processes wait inside what is the same for every component, each in control groups of its own: those of a process that
 * has ended are used again, since making and removing them costs more than writing other bounds into them.
 */
export class BlankSites {
  readonly #plan: BlankPlan;
  /** Given back, and used again once nothing is left in them. */
  readonly #returned: CgroupPlan[] = [];
  /** Those that somebody has been in, by name. */
  readonly #used = new Set<string>();
  readonly #spoiled = new Set<string>();
  readonly #made: CgroupPlan[] = [];

  /**
   * @param mountPoint as in every component's plan.
   * @param name of the control groups, behind which each has a number.
   */
  constructor(machine: Machine, mountPoint: string, name: string) {
    this.#plan = planSandbox(machine, { ...ANYBODY, mountPoint, tmpFolder: mountPoint, cgroupName: name });
  }

  /** A plan whose control groups nobody is in, bounded as nobody's. */
  take(): BlankPlan {
    const { route, namespaces, ownProcesses, mountPoint, cgroup: common } = this.#plan;
    if (common === null) return { route, namespaces, ownProcesses, mountPoint, cgroup: null };
    const own = this.#emptied() ?? this.#another(common);
    const failed = createCgroups(own);
    const folders = Object.fromEntries(
      Object.entries(common.folders).filter(([controller]) => !(controller in failed)),
    );
    return { route, namespaces, ownProcesses, mountPoint, cgroup: { ...own, folders } };
  }

  /** Its process is gone; what that has left behind, if anything, is killed. */
  giveBack({ cgroup }: BlankPlan): void {
    const own = this.#made.find(({ name }) => name === cgroup?.name);
    if (own === undefined || this.#spoiled.has(own.name)) return;
    this.#used.add(own.name);
    emptyCgroups(own);
    this.#returned.push(own);
  }

  /** Bounds a process that waits in `blank` as `sandbox` says. Throws where the system refuses it, or has given it no such group. */
  bound(blank: BlankPlan, sandbox: SandboxPlan): void {
    const [site, wanted] = [blank.cgroup, sandbox.cgroup];
    if (wanted === null) return;
    const refuse = (controller: string, reason: string): never => {
      throw new Error(`the ${controller} control group ${site?.name ?? ''} cannot be bounded: ${reason}`);
    };
    for (const controller of Object.keys(wanted.folders) as Controller[]) {
      if (site?.folders[controller] === undefined) refuse(controller, 'it could not be made');
    }
    const { memoryBytes, processes, cpuWeight } = wanted;
    const failed = Object.entries(createCgroups({ ...site!, memoryBytes, processes, cpuWeight }));
    for (const [controller, reason] of failed) refuse(controller, reason);
  }

  /** Its groups are used for nobody else. @returns whether somebody had been in them before: new ones may do better. */
  spoil({ cgroup }: BlankPlan): boolean {
    if (cgroup === null) return false;
    this.#spoiled.add(cgroup.name);
    return this.#used.has(cgroup.name);
  }

  /** All groups that there are, for their removal. */
  get cgroups(): readonly CgroupPlan[] {
    return this.#made;
  }

  /** Groups that nothing is left in; null where there are none among those that were given back first. */
  #emptied(): CgroupPlan | null {
    const at = this.#returned.slice(0, MAX_LOOKED_AT).findIndex((cgroup) => emptyCgroups(cgroup));
    return at < 0 ? null : this.#returned.splice(at, 1)[0]!;
  }

  #another(common: CgroupPlan): CgroupPlan {
    const cgroup = { ...common, name: `${common.name}.${this.#made.length + 1}` };
    this.#made.push(cgroup);
    return cgroup;
  }
}

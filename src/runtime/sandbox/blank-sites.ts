import { createCgroups } from './cgroup.ts';
import type { Machine } from './machine.ts';
import {
  planSandbox,
  type BlankPlan,
  type CgroupPlan,
  type SandboxPlan,
  type SandboxRequest,
} from './plan.ts';

const MB = 1024 * 1024;

/** Bounded, since it is in groups; other bounds are written once it is known whose it is. The network is left later, by those who do. */
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
  readonly #free: CgroupPlan[] = [];
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

  /** A plan whose control groups nobody is in. Throws where they cannot be made. */
  take(): BlankPlan {
    const { cgroup } = this.#plan;
    if (cgroup === null) return this.#plan;
    const { route, namespaces, ownProcesses, mountPoint } = this.#plan;
    return { route, namespaces, ownProcesses, mountPoint, cgroup: this.#free.pop() ?? this.#make(cgroup) };
  }

  /** Its process is gone. */
  giveBack({ cgroup }: BlankPlan): void {
    if (cgroup === null || this.#spoiled.has(cgroup.name)) return;
    this.#used.add(cgroup.name);
    this.#free.push(cgroup);
  }

  /** Bounds a process that waits in `blank` as `sandbox` says. Throws where the system refuses it. */
  bound(blank: BlankPlan, sandbox: SandboxPlan): void {
    const [site, wanted] = [blank.cgroup, sandbox.cgroup];
    if (site === null || wanted === null) return;
    const { memoryBytes, processes, cpuWeight } = wanted;
    const failed = Object.entries(createCgroups({ ...site, memoryBytes, processes, cpuWeight }));
    for (const [controller, reason] of failed)
      throw new Error(`the ${controller} control group ${site.name} cannot be bounded: ${reason}`);
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

  #make(common: CgroupPlan): CgroupPlan {
    const cgroup = { ...common, name: `${common.name}.${this.#made.length + 1}` };
    const failed = createCgroups(cgroup);
    // What the machine refuses it refuses for all: a component's plan says so as well.
    const folders = Object.fromEntries(
      Object.entries(common.folders).filter(([controller]) => !(controller in failed)),
    );
    const made = { ...cgroup, folders };
    this.#made.push(made);
    return made;
  }
}

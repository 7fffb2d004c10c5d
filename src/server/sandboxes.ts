import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { FulcrumError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { AppSpec, RunnableSpec } from '../model/app.ts';
import type { Revision } from '../model/revision.ts';
import type { SandboxStatus } from '../model/status.ts';
import {
  createCgroups,
  foldersOf,
  removeAbandonedCgroups,
  removeCgroups,
} from '../runtime/sandbox/cgroup.ts';
import { essentialMissing, isolationRefusal } from '../runtime/sandbox/layers.ts';
import type { Machine } from '../runtime/sandbox/machine.ts';
import {
  planSandbox,
  withoutControllers,
  type CgroupPlan,
  type SandboxPlan,
  type SandboxRequest,
} from '../runtime/sandbox/plan.ts';
import { runtimeFiles } from '../runtime/sandbox/runtime-files.ts';
import { BlankSites } from '../runtime/sandbox/blank-sites.ts';
import { ComponentUsers, type ComponentUser } from './component-users.ts';
import { cgroupNameOf, isAbandoned } from './cgroup-names.ts';
import { sandboxBounds } from './sandbox-bounds.ts';
import { componentFiles, type ComponentFiles } from './sandbox-files.ts';

export type SandboxKind = SandboxRequest['kind'];

export interface SandboxesOptions {
  readonly machine: Machine;
  /** Removed at the end. Its folder `root`, which is there, is where file trees are put together. */
  readonly folder: string;
  /** At which programs of modules present their token. */
  readonly socketPath: string;
  /** The Node that runs instances. */
  readonly nodePath: string;
  /** Read by instances, and never written. */
  readonly compileCacheFolder: string;
  readonly dataDirectory: string;
  /** PATH of programs. */
  readonly path: string;
  readonly logger: Logger;
}

type Plans = Readonly<Partial<Record<SandboxKind, SandboxPlan>>>;

/**
 * The sandboxes of an app's components: one plan for each kind of process of each revision, made before its first start, and
 * what a plan needs on this machine: user ids, folders, control groups.
 */
export class Sandboxes {
  readonly #options: SandboxesOptions;
  readonly #tmpFolder: string;
  readonly #users: ComponentUsers;
  readonly #plans = new WeakMap<Revision, Plans>();
  /** By component: of the revision that was prepared last. */
  readonly #latest = new Map<string, Plans>();
  /** By name: there are folders on this machine for them. */
  readonly #cgroups = new Map<string, CgroupPlan>();
  readonly #sites: BlankSites | null;

  static async open(options: SandboxesOptions): Promise<Sandboxes> {
    const { folder, machine, logger } = options;
    // Without mounts, a user of its own has to get to its temporary files by itself: through no folder of the server's.
    const apart = machine.capabilities.changeUser && !machine.capabilities.administrate;
    const tmpFolder = apart ? mkdtempSync(join(tmpdir(), 'fulcrum-tmp-')) : join(folder, 'tmp');
    mkdirSync(tmpFolder, { recursive: true });
    chmodSync(tmpFolder, apart ? 0o711 : 0o700);
    const left = await removeAbandonedCgroups(machine.cgroups, (name) => isAbandoned(name, startOf)).catch(
      (error: unknown) => [messageOf(error)],
    );
    if (left.length > 0)
      logger.warn({ left }, 'control groups of a server that has ended could not be removed');
    return new Sandboxes(options, tmpFolder);
  }

  private constructor(options: SandboxesOptions, tmpFolder: string) {
    this.#options = options;
    this.#tmpFolder = tmpFolder;
    this.#users = new ComponentUsers(options.machine, options.logger);
    const { machine, folder } = options;
    this.#sites = machine.ffi ? new BlankSites(machine, join(folder, 'root'), ownCgroupName('zygote')) : null;
  }

  /**
   * Makes the plans of `revisions`, and on the machine what they need. Nothing is started.
   * @param kindOf the kind of process that a component will have at first.
   * @throws FulcrumError `isolation-missing`, which names every component that asks for more than there is.
   */
  async prepare(
    app: AppSpec,
    revisions: Iterable<Revision>,
    kindOf: (spec: RunnableSpec) => SandboxKind,
  ): Promise<void> {
    const refusals: string[] = [];
    await Promise.all(
      [...revisions].map(async (revision) => {
        const plans = this.#plans.get(revision) ?? (await this.#plansOf(app, revision));
        this.#plans.set(revision, plans);
        this.#latest.set(revision.spec.name, plans);
        const refusal = refusalOf(revision.spec, plans[kindOf(revision.spec)]);
        if (refusal !== null) refusals.push(refusal);
      }),
    );
    this.#removeUnused(app);
    if (refusals.length > 0) throw new FulcrumError('isolation-missing', refusals.toSorted().join('\n\n'));
  }

  /**
   * The sandbox for a process of `revision`, which has been prepared; null where this machine has none at all.
   * @throws FulcrumError `isolation-missing` where the component insists on more than there is.
   */
  planFor(revision: Revision, kind: SandboxKind): SandboxPlan | null {
    const plan = this.#plans.get(revision)?.[kind];
    if (plan === undefined) {
      throw new FulcrumError('internal', `No sandbox was planned for a ${kind} of ${revision.spec.name}.`);
    }
    const refusal = refusalOf(revision.spec, plan);
    if (refusal !== null) throw new FulcrumError('isolation-missing', refusal);
    return this.#options.machine.ffi ? plan : null;
  }

  /** Whether a program of this revision lacks something essential that a function of it would have: so for an ordinary user. */
  isWeakerAsProgram(revision: Revision): boolean {
    const plans = this.#plans.get(revision);
    if (plans?.function === undefined || plans.program === undefined) return false;
    return essentialMissing(plans.program.layers).length > essentialMissing(plans.function.layers).length;
  }

  /** What of a sandbox processes of this kind have; null where nothing is known of the component. */
  status(component: string, kind: SandboxKind): SandboxStatus | null {
    const plan = this.#latest.get(component)?.[kind];
    if (plan === undefined) return null;
    return {
      complete: essentialMissing(plan.layers).length === 0,
      uid: plan.uid,
      layers: plan.layers.map((layer) => ({
        name: layer.name,
        state: layer.state,
        reason: layer.state === 'on' ? null : layer.reason,
      })),
    };
  }

  /** Where processes wait for the function that they will be of; null where functions have no sandbox here. */
  get sites(): BlankSites | null {
    return this.#sites;
  }

  /** The user ids that components have now. */
  uids(): number[] {
    const ids = [...this.#latest.values()].map(({ program }) => program?.uid ?? null);
    return ids.filter((uid) => uid !== null);
  }

  /** Call when no process of theirs lives. */
  async close(): Promise<void> {
    const groups = [...this.#cgroups.values(), ...(this.#sites?.cgroups ?? [])];
    const left = await Promise.all(groups.map(removeCgroups));
    if (left.flat().length > 0) {
      this.#options.logger.warn({ left: left.flat() }, 'control groups could not be removed');
    }
    await this.#users.close();
    for (const folder of [this.#options.folder, this.#tmpFolder])
      rmSync(folder, { recursive: true, force: true });
  }

  async #plansOf(app: AppSpec, revision: Revision): Promise<Plans> {
    const { dataDirectory, path } = this.#options;
    const files = await componentFiles(app, revision, dataDirectory, path);
    const planOf = async (kind: SandboxKind): Promise<SandboxPlan> => {
      const [runtime, sockets] = [
        this.#runtimeFor(revision.spec, kind),
        this.#socketsFor(revision.spec, kind),
      ];
      return this.#plan(
        revision,
        kind,
        files,
        await this.#users.userFor(app, revision, files, runtime, sockets),
      );
    };
    const program = await planOf('program');
    return this.#withCgroups(
      revision.kind === 'module' ? { function: await planOf('function'), program } : { program },
    );
  }

  #plan({ spec }: Revision, kind: SandboxKind, files: ComponentFiles, user: ComponentUser): SandboxPlan {
    const { machine, folder } = this.#options;
    const bounds = sandboxBounds(spec, machineMemory());
    const tmpFolder = join(this.#tmpFolder, spec.name);
    mkdirSync(tmpFolder, { recursive: true, mode: 0o700 });
    if (user.uid !== null) chownSync(tmpFolder, user.uid, user.uid);
    return planSandbox(machine, {
      component: spec.name,
      kind,
      network: spec.network,
      ...user,
      readable: [...this.#runtimeFor(spec, kind), ...files.readable],
      writable: files.writable,
      sockets: this.#socketsFor(spec, kind),
      hidden: files.hidden,
      mountPoint: join(folder, 'root'),
      tmpFolder,
      ...bounds,
      cgroupName: ownCgroupName(spec.name),
    });
  }

  /** An instance of the fork engine is born with its connection. */
  #socketsFor(spec: RunnableSpec, kind: SandboxKind): string[] {
    return kind === 'program' && spec.kind === 'module' ? [this.#options.socketPath] : [];
  }

  #runtimeFor(spec: RunnableSpec, kind: SandboxKind): string[] {
    if (spec.kind === 'command') return [];
    const { nodePath, compileCacheFolder } = this.#options;
    return [...runtimeFiles(nodePath), ...(kind === 'program' ? [compileCacheFolder] : [])];
  }

  /** Both kinds of a component are in the same groups. */
  #withCgroups(plans: Plans): Plans {
    const cgroup = plans.program?.cgroup ?? plans.function?.cgroup ?? null;
    if (cgroup === null) return plans;
    const failed = createCgroups(cgroup);
    this.#cgroups.set(cgroup.name, cgroup);
    const settled = (plan: SandboxPlan | undefined): SandboxPlan | undefined =>
      plan === undefined ? undefined : withoutControllers(plan, failed);
    const [asFunction, program] = [settled(plans.function), settled(plans.program)];
    return { ...(asFunction && { function: asFunction }), ...(program && { program }) };
  }

  /** Groups of components that are no longer in the app, once their last instance has gone: those that are empty. */
  #removeUnused(app: AppSpec): void {
    for (const name of this.#latest.keys()) {
      if (app.components.has(name)) continue;
      const cgroup = this.#latest.get(name)?.program?.cgroup;
      try {
        if (cgroup) {
          for (const folder of foldersOf(cgroup)) rmdirSync(folder);
          this.#cgroups.delete(cgroup.name);
        }
        this.#latest.delete(name);
      } catch {
        // It still drains; the next deploy, or the end, tries again.
      }
    }
  }
}

function refusalOf(spec: RunnableSpec, plan: SandboxPlan | undefined): string | null {
  if (spec.isolation !== 'required' || plan === undefined) return null;
  return isolationRefusal(spec.name, plan.layers);
}

function ownCgroupName(of: string): string {
  return cgroupNameOf(process.pid, startOf(process.pid) ?? '0', of);
}

function machineMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** When a process began, in the kernel's ticks: with the id it names one process for all time. Null where it does not live. */
function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

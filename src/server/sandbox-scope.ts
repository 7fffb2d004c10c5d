import { chownSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FulcrumError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { machineBytes } from '../base/machine-memory.ts';
import type { AppSpec, UnitSpec } from '../model/app.ts';
import type { Revision } from '../model/revision.ts';
import type { SandboxStatus } from '../model/status.ts';
import { unitsOf } from '../model/units.ts';
import { createCgroups, foldersOf, removeCgroups } from '../runtime/sandbox/cgroup.ts';
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
import { cgroupNameOf } from './cgroup-names.ts';
import type { ComponentUser, ComponentUsers } from './component-users.ts';
import { startOf } from './process-start.ts';
import { sandboxBounds } from './sandbox-bounds.ts';
import { componentFiles, type ComponentFiles } from './sandbox-files.ts';

export type SandboxKind = SandboxRequest['kind'];
export type Plans = Readonly<Partial<Record<SandboxKind, SandboxPlan>>>;

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

export interface SandboxScopeOptions extends SandboxesOptions {
  /** Its id. */
  readonly app: string;
  /** Which no other scope has. */
  readonly number: number;
  readonly tmpFolder: string;
  readonly users: ComponentUsers;
  /** Of all scopes: runtimes ask by revision. */
  readonly plans: WeakMap<Revision, Plans>;
  readonly closed: () => void;
}

/** The sandboxes of one release's units (a group's members are in one together), and the folders and control groups that were made for them. */
export class SandboxScope {
  readonly #options: SandboxScopeOptions;
  /** By unit: of the revision that was prepared last. */
  readonly #latest = new Map<string, Plans>();
  /** By name: there are folders on this machine for them. */
  readonly #cgroups = new Map<string, CgroupPlan>();
  readonly #tmpFolders = new Set<string>();
  /** The units that serve. */
  #served: ReadonlySet<string> = new Set();

  constructor(options: SandboxScopeOptions) {
    this.#options = options;
  }

  /**
   * Makes the plans of `revisions`, and on the machine what they need. Nothing is started.
   * @param kindOf the kind of process that a unit will have at first.
   * @throws FulcrumError `isolation-missing`, which names every unit that asks for more than there is.
   */
  async prepare(
    app: AppSpec,
    revisions: Iterable<Revision>,
    kindOf: (spec: UnitSpec) => SandboxKind,
  ): Promise<void> {
    const refusals: string[] = [];
    await Promise.all(
      [...revisions].map(async (revision) => {
        const plans = this.#options.plans.get(revision) ?? (await this.#plansOf(app, revision));
        this.#options.plans.set(revision, plans);
        this.#latest.set(revision.spec.name, plans);
        const refusal = refusalOf(revision.spec, plans[kindOf(revision.spec)]);
        if (refusal !== null) refusals.push(refusal);
      }),
    );
    if (refusals.length > 0) throw new FulcrumError('isolation-missing', refusals.toSorted().join('\n\n'));
  }

  /**
   * Call when `app` serves. What was there before has its control groups until the deploy after: whoever waited for it is still served by it,
   * and until now it might have had to go on.
   */
  deployed(app: AppSpec): void {
    const served = this.#served;
    this.#served = new Set(unitsOf(app).map(({ name }) => name));
    for (const name of this.#latest.keys())
      if (!this.#served.has(name) && !served.has(name)) this.#removeUnused(name);
  }

  /** What of a sandbox processes of this kind have; null where nothing is known of the unit. */
  status(unit: string, kind: SandboxKind): SandboxStatus | null {
    const plan = this.#latest.get(unit)?.[kind];
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

  /** The user ids that they have now. */
  uids(): number[] {
    const ids = [...this.#latest.values()].map(({ program }) => program?.uid ?? null);
    return ids.filter((uid) => uid !== null);
  }

  /** Call when no process of theirs is wanted any more: what lives in the control groups is killed. Idempotent. */
  async close(): Promise<void> {
    const left = await Promise.all([...this.#cgroups.values()].map(removeCgroups));
    this.#cgroups.clear();
    if (left.flat().length > 0) {
      this.#options.logger.warn({ left: left.flat() }, 'control groups could not be removed');
    }
    for (const folder of this.#tmpFolders) rmSync(folder, { recursive: true, force: true });
    this.#options.closed();
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
        await this.#options.users.userFor(app, revision, files, runtime, sockets),
      );
    };
    const program = await planOf('program');
    return this.#withCgroups(
      revision.kind !== 'command' ? { function: await planOf('function'), program } : { program },
    );
  }

  #plan({ spec }: Revision, kind: SandboxKind, files: ComponentFiles, user: ComponentUser): SandboxPlan {
    const { machine, folder } = this.#options;
    const bounds = sandboxBounds(spec, machineBytes());
    const tmpFolder = join(this.#options.tmpFolder, `${this.#options.number}-${spec.name}`);
    this.#tmpFolders.add(tmpFolder);
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
      cgroupName: cgroupNameOf(
        { pid: process.pid, startedAt: startOf(process.pid) ?? '0' },
        this.#options.number,
        this.#options.app,
        spec.name,
      ),
    });
  }

  /** An instance of the fork engine is born with its connection. */
  #socketsFor(spec: UnitSpec, kind: SandboxKind): string[] {
    return kind === 'program' && spec.kind !== 'command' ? [this.#options.socketPath] : [];
  }

  #runtimeFor(spec: UnitSpec, kind: SandboxKind): string[] {
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

  /** Of what has gone: its control groups are removed once they are empty. */
  #removeUnused(name: string): void {
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

export function refusalOf(spec: UnitSpec, plan: SandboxPlan | undefined): string | null {
  if (spec.isolation !== 'required' || plan === undefined) return null;
  return isolationRefusal(spec.name, plan.layers);
}

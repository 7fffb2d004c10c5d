import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FulcrumError, messageOf } from '../base/errors.ts';
import type { Revision } from '../model/revision.ts';
import { BlankSites } from '../runtime/sandbox/blank-sites.ts';
import { removeAbandonedCgroups, removeCgroups } from '../runtime/sandbox/cgroup.ts';
import { essentialMissing } from '../runtime/sandbox/layers.ts';
import type { SandboxPlan } from '../runtime/sandbox/plan.ts';
import { cgroupNameOf, isAbandoned } from './cgroup-names.ts';
import { ComponentUsers } from './component-users.ts';
import { startOf } from './process-start.ts';
import {
  refusalOf,
  SandboxScope,
  type Plans,
  type SandboxesOptions,
  type SandboxKind,
} from './sandbox-scope.ts';

/** Of this process, and not of a server: tests run several in one, whose groups have the same names but for this. */
let lastScope = 0;

/**
 * The sandboxes of all components of a server: one plan for each kind of process of each revision, made before its first start,
 * and what a plan needs on this machine: user ids, folders, control groups.
 */
export class Sandboxes {
  readonly #options: SandboxesOptions;
  readonly #tmpFolder: string;
  readonly #users: ComponentUsers;
  readonly #plans: WeakMap<Revision, Plans> = new WeakMap();
  readonly #scopes = new Set<SandboxScope>();
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
    this.#sites = machine.ffi ? new BlankSites(machine, join(folder, 'root'), ownCgroupName()) : null;
  }

  /** Room for one release's sandboxes: nothing in it is shared with another's, though their components have the same names. */
  openScope(app: string): SandboxScope {
    const scope: SandboxScope = new SandboxScope({
      ...this.#options,
      app,
      number: ++lastScope,
      tmpFolder: this.#tmpFolder,
      users: this.#users,
      plans: this.#plans,
      closed: () => this.#scopes.delete(scope),
    });
    this.#scopes.add(scope);
    return scope;
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

  /** Where processes wait for the function that they will be of; null where functions have no sandbox here. */
  get sites(): BlankSites | null {
    return this.#sites;
  }

  /** Call when no process of theirs lives. */
  async close(): Promise<void> {
    await Promise.all([...this.#scopes].map((scope) => scope.close()));
    const left = await Promise.all((this.#sites?.cgroups ?? []).map(removeCgroups));
    if (left.flat().length > 0) {
      this.#options.logger.warn({ left: left.flat() }, 'control groups could not be removed');
    }
    await this.#users.close();
    for (const folder of [this.#options.folder, this.#tmpFolder])
      rmSync(folder, { recursive: true, force: true });
  }
}

/** Of no release: whose a process will be is not known while it waits in there. */
function ownCgroupName(): string {
  const server = { pid: process.pid, startedAt: startOf(process.pid) ?? '0' };
  return cgroupNameOf(server, ++lastScope, 'any', 'zygote');
}

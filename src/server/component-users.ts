import { closeSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { AppSpec, GroupSpec, UnitSpec } from '../model/app.ts';
import { appId } from '../base/app-id.ts';
import { bundlesOf, type Revision } from '../model/revision.ts';
import { runnableOf, unitsOf } from '../model/units.ts';
import type { Machine } from '../runtime/sandbox/machine.ts';
import { canBeOwned, mappedNamespace } from '../runtime/sandbox/owned-files.ts';
import { isWithin, type OwnedFiles, type SandboxRequest } from '../runtime/sandbox/plan.ts';
import { giveStorage } from '../runtime/sandbox/storage.ts';
import { assignUids, componentUids } from '../runtime/sandbox/uid.ts';
import { closedToOthers, storageOf, type ComponentFiles } from './sandbox-files.ts';

export type ComponentUser = Pick<SandboxRequest, 'uid' | 'uidMissing' | 'owned'>;

/** The users of an app's units: which each has, and that it gets at what it may read and write. */
export class ComponentUsers {
  readonly #machine: Machine;
  readonly #logger: Logger;
  /** By owner and user: descriptors of this process. */
  readonly #namespaces = new Map<string, Promise<number | null>>();
  readonly #uids = new WeakMap<AppSpec, Promise<ReadonlyMap<string, number> | null>>();
  /** By user: the app and unit that have it. Two apps' may not meet at one, or each could write what the other stores. */
  readonly #owners = new Map<number, string>();

  constructor(machine: Machine, logger: Logger) {
    this.#machine = machine;
    this.#logger = logger;
  }

  /**
   * The user for processes of `revision`, and how it comes to what belongs to others.
   * @param runtime what of ours they read.
   * @param sockets what they connect to.
   */
  async userFor(
    app: AppSpec,
    revision: Revision,
    files: ComponentFiles,
    runtime: readonly string[],
    sockets: readonly string[],
  ): Promise<ComponentUser> {
    const machine = this.#machine;
    const { spec } = revision;
    if (!machine.ffi) return { uid: null };
    const ids = await this.#uidsOf(app);
    const uid = ids?.get(spec.name) ?? null;
    if (uid === null || !machine.capabilities.changeUser) return { uid: null };
    const sources = bundlesOf(revision).flatMap((bundle) => bundle.sources);
    const looked = [...bundlesOf(revision).map((bundle) => bundle.path), ...sources];
    const all = [...runtime, ...files.readable];
    if (!machine.capabilities.administrate) {
      // No mounts: what it reads, and the socket, it reaches as any other user does, or not at all.
      const closed = await closedToOthers([...all, ...sockets], looked, true);
      if (closed !== null)
        return { uid: null, uidMissing: `${closed}, and without mounts it would not get through` };
      // Others may write there who have no user of their own, and who could not once it were this one's.
      return files.writable.length > 0
        ? {
            uid: null,
            uidMissing: 'without mounts it shares what it stores with the user who started Fulcrum',
          }
        : { uid };
    }
    const closed: string[] = [];
    for (const path of all) if ((await closedToOthers([path], [], false)) !== null) closed.push(path);
    const inside = await closedToOthers([], looked, false);
    const wanted = [...(inside === null ? closed : [...new Set([...closed, ...files.readable])])];
    const { owned, refused } = await this.#owned([...wanted, ...files.writable], uid);
    const unread = wanted.filter((path) => refused.includes(path));
    if (unread.length > 0) {
      const uidMissing = `${inside ?? `${unread[0]} is closed to other users`}, and its file system cannot be mounted with mapped ids; open it (chmod -R o+rX)`;
      return { uid: null, uidMissing };
    }
    await giveStorage(
      files.writable.filter((folder) => refused.includes(folder)),
      uid,
    );
    return { uid, owned };
  }

  /** How `paths` come to belong to `uid`; `refused` are those whose file systems do not let them. */
  async #owned(
    paths: readonly string[],
    uid: number,
  ): Promise<{ owned: OwnedFiles[]; refused: readonly string[] }> {
    const byNamespace = new Map<number, string[]>();
    const refused: string[] = [];
    for (const path of paths) {
      const owner = await stat(path).catch(() => null);
      if (owner === null || owner.uid === uid) continue;
      const namespace = await this.#namespaceFor(owner.uid, owner.gid, uid);
      if (namespace === null || !(await canBeOwned(path, namespace))) refused.push(path);
      else byNamespace.set(namespace, [...(byNamespace.get(namespace) ?? []), path]);
    }
    const owned = [...byNamespace].map(([namespace, mapped]) => ({
      namespace: `/proc/${process.pid}/fd/${namespace}`,
      paths: mapped,
    }));
    return { owned, refused };
  }

  #namespaceFor(owner: number, group: number, uid: number): Promise<number | null> {
    const key = `${owner} ${group} ${uid}`;
    let made = this.#namespaces.get(key);
    if (made === undefined) {
      made = mappedNamespace({ uid: owner, gid: group }, uid).catch((error: unknown) => {
        this.#logger.warn({ error: messageOf(error) }, 'files cannot be mounted with mapped ids');
        return null;
      });
      this.#namespaces.set(key, made);
    }
    return made;
  }

  #uidsOf(app: AppSpec): Promise<ReadonlyMap<string, number> | null> {
    let ids = this.#uids.get(app);
    if (ids === undefined) this.#uids.set(app, (ids = this.#assignUids(app)));
    return ids;
  }

  async #assignUids(app: AppSpec): Promise<ReadonlyMap<string, number> | null> {
    const range = componentUids(this.#machine.uidRanges);
    if (range === null) return null;
    const id = appId(app.name, app.environment);
    // Of members, too, though they have none at present: so no group's is that of a component whose older instances are still there.
    const names = [...runnableOf(app), ...app.groups.values()].map(({ name }) => name);
    const taken = (uid: number): boolean => !(this.#owners.get(uid) ?? `${id}\0`).startsWith(`${id}\0`);
    const ids = new Map(assignUids(id, names, range, taken));
    for (const [name, uid] of ids) this.#owners.set(uid, `${id}\0${name}`);
    if (this.#machine.capabilities.administrate) {
      for (const group of app.groups.values()) await this.#keepWhereStorageIs(app, group, ids);
      await this.#shareWhereStorageIs(app, unitsOf(app), ids);
    }
    return ids;
  }

  /**
   * A group has the user of the first member that stores where its folder cannot belong to both by mounts: what that member runs by itself, in
   * another release or until just now, goes on writing there.
   */
  async #keepWhereStorageIs(app: AppSpec, group: GroupSpec, ids: Map<string, number>): Promise<void> {
    for (const member of group.members) {
      const folders = await storageOf(app, member);
      if (folders.length === 0) continue;
      const { refused } = await this.#owned(folders, ids.get(group.name)!);
      if (refused.length > 0) ids.set(group.name, ids.get(member.name)!);
      return;
    }
  }

  /** Units that write the same folder have one user, where it cannot belong to each of them by a mount of its own. */
  async #shareWhereStorageIs(
    app: AppSpec,
    specs: readonly UnitSpec[],
    ids: Map<string, number>,
  ): Promise<void> {
    for (const [index, spec] of specs.entries()) {
      const folders = await storageOf(app, spec);
      for (const other of specs.slice(index + 1)) {
        const shared = (await storageOf(app, other)).filter((theirs) =>
          folders.some((own) => isWithin(own, theirs) || isWithin(theirs, own)),
        );
        const [uid, otherUid] = [ids.get(spec.name)!, ids.get(other.name)!];
        if (shared.length === 0 || uid === otherUid) continue;
        const { refused } = await this.#owned(shared, uid);
        if (refused.length === 0) continue;
        for (const [name, id] of ids) if (id === otherUid) ids.set(name, uid);
        this.#logger.warn(
          { components: [spec.name, other.name], folder: refused[0] },
          'share a user id, since both write a folder that cannot be mounted with mapped ids',
        );
      }
    }
  }

  async close(): Promise<void> {
    for (const made of await Promise.all(this.#namespaces.values())) if (made !== null) closeSync(made);
    this.#namespaces.clear();
  }
}

import { chmod, mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { isAppId } from '../../base/app-id.ts';
import { randomText } from '../../base/ids.ts';
import { join } from 'node:path';
import type { Release } from '../../model/release.ts';
import { removeDrafts, type BlobFiles } from '../../release/unpack.ts';
import { preparedRelease } from '../prepared-release.ts';
import type { Prepared } from '../prepare.ts';
import { placeReleaseTree } from '../release-tree.ts';

export interface ReleaseFilesOptions {
  readonly dataDirectory: string;
  readonly blobs: BlobFiles;
  /** An app's, opened. */
  readonly secrets: (app: string) => Promise<ReadonlyMap<string, string>>;
}

/** No app's id begins so. What is being removed, and what was found under a new app's name. */
const BURIED = '.removed-';
const ASIDE = '.aside-';

/** Where the files of releases lie on this machine: `DATA/apps/<id>/releases/<n>`, and `DATA/apps/<id>/storage` beside them. */
export class ReleaseFiles {
  readonly #options: ReleaseFilesOptions;

  constructor(options: ReleaseFilesOptions) {
    this.#options = options;
  }

  /** What is left for the server on the disk of the data folder. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#options.dataDirectory);
    return bavail * bsize;
  }

  /**
   * What a release needs to be started: its files in their place, its config read again, its secrets filled in.
   * @throws FulcrumError `manifest-invalid`, `config-invalid`, `secret-missing` or `store-failed`.
   */
  async prepare({ app, number, manifest }: Release): Promise<Prepared> {
    const { blobs, secrets } = this.#options;
    const directory = this.#tree(app, number);
    const storageDirectory = join(this.#folder(app), 'storage');
    await this.#closeToOthers(app);
    const [opened] = await Promise.all([
      secrets(app),
      placeReleaseTree({ manifest, directory, storageDirectory, blobs }),
    ]);
    return await preparedRelease({ manifest, directory, storageDirectory, secrets: opened });
  }

  /** Removes the trees of all releases of an app but these, and what a server that was killed has left half-made. */
  async keepOnly(app: string, numbers: ReadonlySet<number>): Promise<void> {
    const parent = join(this.#folder(app), 'releases');
    await removeDrafts(parent);
    for (const name of await readdir(parent).catch(() => [])) {
      if (/^\d+$/.test(name) && !numbers.has(Number(name)))
        await rm(join(parent, name), { recursive: true, force: true });
    }
  }

  /**
   * Removes all that an app has here, its storage too, together with its record: a server that is killed on the way leaves nothing that the
   * next app of this name could take for its own. Rejects as `forget` does; then all is as before.
   * @param forget removes the record. @param end ends what still runs of it.
   */
  async removeWith(app: string, forget: () => Promise<void>, end: () => Promise<void>): Promise<void> {
    const buried = join(this.#apps(), `${BURIED}${app}.${randomText(8)}`);
    const moved = await moveTo(this.#folder(app), buried);
    try {
      await forget();
    } catch (error) {
      if (moved) await moveTo(buried, this.#folder(app));
      throw error;
    }
    await end();
    await rm(buried, { recursive: true, force: true });
  }

  /**
   * For the start of a server: what was being removed when the last one ended goes, or is back where the app is still there.
   * @param apps the ids of those that are.
   */
  async settleRemovals(apps: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#apps()).catch(() => [])) {
      const app = name.startsWith(BURIED) ? name.slice(BURIED.length, name.lastIndexOf('.')) : '';
      if (!isAppId(app)) continue;
      const buried = join(this.#apps(), name);
      if (!apps.has(app)) await rm(buried, { recursive: true, force: true });
      else if (!(await exists(this.#folder(app)))) await moveTo(buried, this.#folder(app));
    }
  }

  /**
   * For an app that is new: what lies here under its name is another's, whose record this store does not have (it is another store, or a
   * backup of before). It is not removed, for nobody has said so.
   * @returns where it lies now; null where there was nothing.
   */
  async setAside(app: string): Promise<string | null> {
    const aside = join(this.#apps(), `${ASIDE}${app}.${randomText(8)}`);
    return (await moveTo(this.#folder(app), aside)) ? aside : null;
  }

  /** Users of this machine get through to files that are open to all, and see no names. */
  async #closeToOthers(app: string): Promise<void> {
    await mkdir(join(this.#folder(app), 'releases'), { recursive: true });
    for (const folder of [this.#apps(), this.#folder(app), join(this.#folder(app), 'releases')])
      await chmod(folder, 0o711);
  }

  #tree(app: string, number: number): string {
    return join(this.#folder(app), 'releases', String(number));
  }

  #folder(app: string): string {
    return join(this.#apps(), app);
  }

  #apps(): string {
    return join(this.#options.dataDirectory, 'apps');
  }
}

async function moveTo(folder: string, place: string): Promise<boolean> {
  try {
    await rename(folder, place);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

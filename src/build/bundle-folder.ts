import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { randomText } from '../base/ids.ts';
import type { BundleFile } from './pipeline.ts';

/** The file of a bundle that is imported. */
const BUNDLE_ENTRY = 'index.mjs';

const BUNDLE_NAME = /-[0-9a-f]{12}$/;
const DRAFT_NAME = /^\.draft-(\d+)-/;

/** A bundle as it lies on disk. */
interface StoredBundle {
  readonly path: string;
  /** SHA-256 over names and texts of its files, source maps included, in hex: a moved line is another bundle. */
  readonly digest: string;
  /** Of the code, without its source maps. */
  readonly sizeBytes: number;
}

/**
 * The folder that bundles lie in, each in a folder of its own that is named by its content: `<name>-<12 hex digits>`. A bundle's
 * folder appears whole or not at all, is never changed, and is used again for the same content.
 */
export class BundleFolder {
  readonly directory: string;
  /** Writing and pruning take turns, so that pruning cannot remove what is about to be returned. */
  #turn: Promise<unknown> = Promise.resolve();
  /** The newest bundle of each name, which pruning spares: its caller may not have put it to use yet. */
  readonly #newest = new Map<string, string>();

  constructor(directory: string) {
    this.directory = directory;
  }

  store(name: string, files: readonly BundleFile[]): Promise<StoredBundle> {
    return this.#inTurn(async () => {
      const digest = digestOf(files);
      const folder = join(this.directory, `${folderName(name)}-${digest.slice(0, 12)}`);
      if (!(await isWhole(folder, files))) await this.#write(folder, files);
      const path = join(folder, BUNDLE_ENTRY);
      this.#newest.set(name, folder);
      const code = files.filter((file) => !file.name.endsWith('.map'));
      return {
        path,
        digest,
        sizeBytes: code.reduce((sum, file) => sum + Buffer.byteLength(file.content), 0),
      };
    });
  }

  /** Removes every bundle whose path is not in `keep`, save the newest of each name. Leaves alone what is no bundle. */
  prune(keep: ReadonlySet<string>): Promise<void> {
    return this.#inTurn(async () => {
      const spared = new Set(this.#newest.values());
      for (const entry of await namesIn(this.directory)) {
        const folder = join(this.directory, entry);
        const isBundle =
          BUNDLE_NAME.test(entry) && !keep.has(join(folder, BUNDLE_ENTRY)) && !spared.has(folder);
        if (isBundle || isAbandoned(entry)) await rm(folder, { recursive: true, force: true });
      }
    });
  }

  /** Writes files for as long as `use` takes, which is given the path of the entry. */
  async lend<T>(files: readonly BundleFile[], use: (path: string) => Promise<T>): Promise<T> {
    const draft = this.#draftPath();
    try {
      await writeAll(draft, files);
      return await use(join(draft, BUNDLE_ENTRY));
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }

  /** Resolves when nothing is being written or removed. */
  async idle(): Promise<void> {
    await this.#turn;
  }

  async #write(folder: string, files: readonly BundleFile[]): Promise<void> {
    const draft = this.#draftPath();
    try {
      await writeAll(draft, files);
      // What is there is damaged: somebody has removed or cut a file.
      await rm(folder, { recursive: true, force: true });
      await rename(draft, folder);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      // Another process has written the same bundle between the two steps.
      if (!(await isWhole(folder, files))) throw error;
    }
  }

  #draftPath(): string {
    return join(this.directory, `.draft-${process.pid}-${randomText(8)}`);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

async function writeAll(directory: string, files: readonly BundleFile[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  await Promise.all(files.map((file) => writeFile(join(directory, file.name), file.content)));
}

function digestOf(files: readonly BundleFile[]): string {
  const hash = createHash('sha256');
  for (const { name, content } of files)
    hash.update(`${name}\0${Buffer.byteLength(content)}\0`).update(content);
  return hash.digest('hex');
}

/** Names of components are checked by the config; this only makes sure that none leads out of the folder. */
function folderName(name: string): string {
  return name.replace(/[^\w.-]/g, '_').replace(/^\.+/, '_');
}

async function isWhole(folder: string, files: readonly BundleFile[]): Promise<boolean> {
  const sizes = await Promise.all(
    files.map((file) =>
      stat(join(folder, file.name)).then(
        ({ size }) => size,
        () => -1,
      ),
    ),
  );
  return sizes.every((size, i) => size === Buffer.byteLength(files[i]!.content));
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** A draft whose process has ended before it was finished. */
function isAbandoned(name: string): boolean {
  const pid = DRAFT_NAME.exec(name)?.[1];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

import { statSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname, join } from 'node:path';

interface FolderWatch {
  readonly watcher: FSWatcher;
  /** Tells a folder from another that has taken its name, and perhaps its inode as well. */
  readonly identity: string;
}

/**
 * Keeps the system's watches on a set of folders. Folders and not files: a file that is saved by writing another and renaming
 * it is a new file, which a watch on the old one never sees. Where a folder does not exist, the nearest one above it is watched.
 */
export class FolderWatches {
  readonly #watches = new Map<string, FolderWatch>();
  readonly #onEvent: (path: string | null) => void;

  /** @param onEvent called with what the system names, or null where it names nothing. */
  constructor(onEvent: (path: string | null) => void) {
    this.#onEvent = onEvent;
  }

  /** Watches exactly `folders`, renewing the watches on those that have been replaced. What cannot be watched is left out. */
  set(folders: Iterable<string>): void {
    const wanted = new Map<string, string>();
    for (const folder of folders) {
      const found = nearestFolder(folder);
      if (found !== null) wanted.set(found.path, found.identity);
    }
    for (const [path, { watcher, identity }] of this.#watches) {
      if (wanted.get(path) === identity) continue;
      watcher.close();
      this.#watches.delete(path);
    }
    for (const [path, identity] of wanted) if (!this.#watches.has(path)) this.#open(path, identity);
  }

  close(): void {
    for (const { watcher } of this.#watches.values()) watcher.close();
    this.#watches.clear();
  }

  #open(folder: string, identity: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (kind, name) => {
        // The folder itself has gone or was renamed; or something inside has the same name, which does no harm.
        const isItself = kind === 'rename' && name === basename(folder);
        if (isItself) this.#drop(folder, watcher);
        this.#onEvent(name === null || isItself ? null : join(folder, name));
      });
      watcher.on('error', () => {
        this.#drop(folder, watcher);
        this.#onEvent(null);
      });
      this.#watches.set(folder, { watcher, identity });
    } catch {
      // It went meanwhile, or the system's watches are used up: the regular look at every file finds changes, if later.
    }
  }

  #drop(folder: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watches.get(folder)?.watcher === watcher) this.#watches.delete(folder);
  }
}

function nearestFolder(folder: string): { path: string; identity: string } | null {
  for (let path = folder; ; path = dirname(path)) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true) return { path, identity: `${stats.ino}:${stats.birthtimeMs}` };
    if (path === dirname(path)) return null;
  }
}

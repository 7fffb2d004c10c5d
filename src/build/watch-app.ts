import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { Clock, Timer } from '../base/clock.ts';
import { FolderWatches } from './folder-watches.ts';
import { ABSENT, hasChanged, looksHalfSaved, stampOf, type FileStamp } from './watched-file.ts';

/** A burst is over when nothing was heard for so long … */
const QUIET_MS = 10;
/** … and is told after so long even where it goes on. */
const BURST_MS = 100;
/** How long a file that was emptied or moved away may take to come back before that is told as a change. */
const HALF_SAVED_MS = 60;
/** Every file is looked at so often whatever the system tells, for some file systems and containers tell nothing. */
const LOOK_MS = 1_000;

export interface WatchOptions {
  /** Absolute paths to watch; those that do not exist are told when they appear. Asked at the start and on each `update`. */
  readonly files: () => Iterable<string>;
  /** Folders of which every file directly inside is watched. */
  readonly directories?: () => Iterable<string>;
  readonly clock: Clock;
  /** Clock.nowMs() before the files were first read: one that has changed since then and before now is told at once. */
  readonly sinceMs?: number;
  /** Called once for a burst of changes, with the paths that have changed, appeared or gone. */
  readonly onChange: (paths: string[]) => void;
}

export interface AppWatch {
  /**
   * Asks for the files anew.
   * @param sinceMs Clock.nowMs() before these files were read: one newly watched that has changed since is told at once.
   */
  update(sinceMs?: number): void;
  close(): Promise<void>;
}

/** Tells of changed files within a few tens of milliseconds. */
export function watchApp(o: WatchOptions): AppWatch {
  const watcher = new AppWatcher(o);
  return { update: (sinceMs) => watcher.update(sinceMs), close: async () => watcher.close() };
}

/**
 * Events only say when to look; what has changed is told by looking at every file. So it does not matter what the system calls
 * an event, how many it sends, or that it loses some.
 */
class AppWatcher {
  readonly #options: WatchOptions;
  readonly #stamps = new Map<string, FileStamp>();
  readonly #folders: FolderWatches;
  readonly #touched = new Set<string>();
  readonly #regular: Timer;
  #quiet: Timer | null = null;
  /** When the first event of the burst came; null where there is none. */
  #burstFromMs: number | null = null;
  /** When a file was first seen half saved; null where none is. */
  #halfSavedFromMs: number | null = null;
  #files = new Set<string>();
  #directories = new Set<string>();
  #state: 'open' | 'closed' = 'open';

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#folders = new FolderWatches((path) => this.#heard(path));
    this.#regular = options.clock.every(LOOK_MS, () => this.#look());
    this.update(options.sinceMs);
  }

  update(sinceMs?: number): void {
    if (this.#state === 'closed') return;
    this.#files = new Set(this.#options.files());
    this.#directories = new Set(this.#options.directories?.());
    // Before the first look, so that what changes after it is heard.
    this.#watchFolders();
    const paths = this.#paths();
    for (const path of this.#stamps.keys()) if (!paths.has(path)) this.#stamps.delete(path);
    const missed: string[] = [];
    for (const path of paths) {
      if (this.#stamps.has(path)) continue;
      const stamp = stampOf(path, this.#options.clock.nowMs());
      this.#stamps.set(path, stamp);
      if (sinceMs !== undefined && stamp.changedAtMs >= sinceMs) missed.push(path);
    }
    if (missed.length > 0) this.#options.onChange(missed);
  }

  close(): void {
    this.#state = 'closed';
    this.#regular.cancel();
    this.#quiet?.cancel();
    this.#folders.close();
  }

  #heard(path: string | null): void {
    if (this.#state === 'closed') return;
    if (path === null) for (const known of this.#stamps.keys()) this.#touched.add(known);
    else if (this.#concerns(path)) this.#touched.add(path);
    else return;
    const nowMs = this.#options.clock.monotonicMs();
    this.#burstFromMs ??= nowMs;
    this.#lookIn(Math.min(QUIET_MS, Math.max(0, this.#burstFromMs + BURST_MS - nowMs)));
  }

  /** Whether a look is worth while: it is a file of ours, lies in a folder of ours, or is a folder on the way to one. */
  #concerns(path: string): boolean {
    if (this.#stamps.has(path) || this.#directories.has(dirname(path))) return true;
    const within = path + '/';
    for (const known of this.#stamps.keys()) if (known.startsWith(within)) return true;
    for (const known of this.#directories) if (known === path || known.startsWith(within)) return true;
    return false;
  }

  #lookIn(delayMs: number): void {
    this.#quiet?.cancel();
    this.#quiet = this.#options.clock.after(delayMs, () => this.#look());
  }

  #look(): void {
    this.#quiet?.cancel();
    this.#quiet = null;
    this.#burstFromMs = null;
    this.#watchFolders();
    const seen = new Map<string, FileStamp>();
    let halfSaved = false;
    for (const path of new Set([...this.#paths(), ...this.#stamps.keys()])) {
      const before = this.#stamps.get(path) ?? ABSENT;
      const after = stampOf(path, this.#options.clock.nowMs());
      if (!hasChanged(before, after, this.#touched.has(path))) continue;
      seen.set(path, after);
      halfSaved ||= looksHalfSaved(before, after);
    }
    if (halfSaved && this.#mayWait()) return;
    this.#halfSavedFromMs = null;
    this.#touched.clear();
    for (const [path, stamp] of seen) {
      if (stamp.mark === '' && !this.#files.has(path)) this.#stamps.delete(path);
      else this.#stamps.set(path, stamp);
    }
    if (seen.size > 0) this.#options.onChange([...seen.keys()]);
  }

  /** Puts the look off for a save that is under way; false where it has taken too long. */
  #mayWait(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    this.#halfSavedFromMs ??= nowMs;
    const leftMs = this.#halfSavedFromMs + HALF_SAVED_MS - nowMs;
    if (leftMs <= 0) return false;
    this.#lookIn(leftMs);
    return true;
  }

  #watchFolders(): void {
    this.#folders.set([...this.#directories, ...[...this.#files].map((file) => dirname(file))]);
  }

  #paths(): Set<string> {
    const paths = new Set(this.#files);
    for (const directory of this.#directories)
      for (const name of filesIn(directory)) paths.add(join(directory, name));
    return paths;
  }
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return []; // it does not exist, or not any more
  }
}

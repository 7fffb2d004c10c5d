import { constants, readlinkSync } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** A file or folder that is open; whoever has it must close it. */
export interface Opened {
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
}

/** Answers of the file system that mean: nothing here that this server may show. */
const ABSENT: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EACCES',
  'EPERM',
  'EINVAL',
  'ENXIO',
]);

/**
 * Opens a file or folder below `directory`; null where there is none, or where it lies outside once every symbolic
 * link is followed. Rejects for what only the operator can mend, such as too many open files.
 */
export async function openInside(directory: string, segments: readonly string[]): Promise<Opened | null> {
  let handle: FileHandle | null = null;
  try {
    const root = await realpath(directory);
    const path = await realpath(join(root, ...segments));
    if (!isWithin(path, root)) return null;
    // No link may have taken its place. A pipe must not hold the opening up.
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (!lies(handle, root)) return null;
    const stats = await handle.stat({ bigint: true });
    const opened = stats.isFile() || stats.isDirectory() ? { handle, stats } : null;
    if (opened !== null) handle = null;
    return opened;
  } catch (error) {
    if (ABSENT.has((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  } finally {
    await handle?.close();
  }
}

/**
 * Whether what was opened lies below `root`: a folder on the way may have become a link after the path was looked at, where a component
 * stores in there. Known on Linux, where the kernel says it without a look at the disk.
 */
function lies(handle: FileHandle, root: string): boolean {
  return process.platform !== 'linux' || isWithin(readlinkSync(`/proc/self/fd/${handle.fd}`), root);
}

function isWithin(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}

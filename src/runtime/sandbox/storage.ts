import { closeSync, constants } from 'node:fs';
import { lchown, lstat, open, readdir, type FileHandle } from 'node:fs/promises';
import { openUnlinked } from './unlinked.ts';

/** Of a tree that is deeper, what lies below stays whose it is: each level holds a descriptor while it is worked on. */
const MAX_DEPTH = 200;
/** What is not a folder, or no longer, or a link in its place. */
const NO_FOLDER: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP']);

/**
 * Gives what is stored to the component's own user, who could not write it otherwise: owner only, the group and the modes stay.
 * In the server, before the component's first start; root only. What it has already is passed over, so that a second time
 * costs one look at each file. Links are given, not followed. Folders that are not there are the component's to miss.
 *
 * Instances of an earlier revision may work in there meanwhile, and could put a link to anything in the place of a folder that
 * has just been looked at: so every step goes from an open folder to a name in it, and never by a path.
 */
export async function giveStorage(folders: readonly string[], uid: number): Promise<void> {
  for (const folder of folders) {
    const opened = ifUnlinked(folder);
    if (opened === null) continue;
    try {
      await give(`/proc/self/fd/${opened}/.`, uid, 0);
    } finally {
      closeSync(opened);
    }
  }
}

/** Null where nothing is there, or a link on the way: that its start will be refused for. */
function ifUnlinked(path: string): number | null {
  try {
    return openUnlinked(path);
  } catch (error) {
    if (NO_FOLDER.has((error as NodeJS.ErrnoException).code)) return null;
    throw error;
  }
}

/** @param path of which all but the last name is known to lead where it should. */
async function give(path: string, uid: number, depth: number): Promise<void> {
  const folder = await openFolder(path);
  if (folder === null) return await ifThere(() => giveEntry(path, uid));
  try {
    const { uid: owner, gid } = await folder.stat();
    if (owner !== uid) await folder.chown(uid, gid);
    if (depth === MAX_DEPTH) return;
    const self = `/proc/self/fd/${folder.fd}`;
    for (const name of await readdir(self)) await give(`${self}/${name}`, uid, depth + 1);
  } finally {
    await folder.close();
  }
}

async function giveEntry(path: string, uid: number): Promise<void> {
  const info = await lstat(path);
  if (info.uid !== uid) await lchown(path, uid, info.gid);
}

/** Null where it is none. */
async function openFolder(path: string): Promise<FileHandle | null> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  return (await ifThere(() => open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))) ?? null;
}

/** Files come and go while they are being worked on. */
async function ifThere<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (NO_FOLDER.has((error as NodeJS.ErrnoException).code)) return undefined;
    throw error;
  }
}

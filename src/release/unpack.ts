import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { FulcrumError, messageOf } from '../base/errors.ts';
import { randomText } from '../base/ids.ts';
import type { ReleaseFile } from '../model/release.ts';

/** Where the bytes of files are found: a cache of blobs on disk. */
export interface BlobFiles {
  /** The path of a file that holds the blob, whole. It is read, never changed or linked to. Rejects with `store-failed` where it cannot be had. */
  path(digest: string): Promise<string>;
}

/** A folder that outlives releases, and where it is linked into their trees. */
interface StorageLink {
  /** Relative to the tree, as a release's paths are. */
  readonly path: string;
  /** Absolute. Whoever calls makes it; it is not looked at. */
  readonly target: string;
}

export interface UnpackOptions {
  /** Of a manifest that has been checked: paths are not looked at again. */
  readonly files: readonly ReleaseFile[];
  readonly storage: readonly StorageLink[];
  readonly blobs: BlobFiles;
  /** Absolute. Its parent is made where it is missing. */
  readonly directory: string;
}

type PlainFile = Extract<ReleaseFile, { kind: 'file' }>;

const AT_ONCE = 16;
/** Larger files are not held in memory to be hashed. */
const WHOLE_BYTES = 1024 ** 2;
/** Of putting a tree in its place; each that fails has met another that was at the same. */
const TRIES = 10;
const DRAFT = /^\.draft-(\d+)-/;
/** Drafts that this process is at work on. */
const drafts = new Set<string>();

/**
 * Writes a release's tree to `directory`: it is there whole, or not at all. Files are copies, read-only for everybody (sharing their
 * blocks with the cache's where the file system can), and hold what their digests say. They are written beside it, into folders that
 * nobody else has made and before any link exists, so that no path leads anywhere else; links come last, and then it gets its name.
 * Where it is there already and holds what it should, nothing is written; where it is damaged, it is made anew.
 * @throws FulcrumError `store-failed` where a blob is missing, damaged, or there is no room.
 */
export async function unpackRelease(o: UnpackOptions): Promise<void> {
  if (await isUnpacked(o)) return;
  const parent = dirname(o.directory);
  const name = `.draft-${process.pid}-${randomText(10)}`;
  const draft = join(parent, name);
  drafts.add(name);
  try {
    await mkdir(parent, { recursive: true });
    await mkdir(draft);
    await writeTree(draft, o);
    await putInPlace(draft, o);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process, such as a successor that takes over, has put it there meanwhile.
    if (isOccupied(error) && (await isUnpacked(o))) return;
    if (error instanceof FulcrumError) throw error;
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'The disk is full: the' : 'The';
    throw new FulcrumError(
      'store-failed',
      `${full} release could not be written to ${o.directory}: ${messageOf(error)}.`,
      {
        cause: error,
      },
    );
  }
}

/** Removes what servers that were killed while they unpacked have left in `parent`; what a living one is at work on stays. */
export async function removeDrafts(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  const left = names.filter((name) => {
    const pid = DRAFT.exec(name)?.[1];
    return pid !== undefined && !drafts.has(name) && (Number(pid) === process.pid || !isAlive(Number(pid)));
  });
  await Promise.all(left.map((name) => rm(join(parent, name), { recursive: true, force: true })));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isOccupied(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/**
 * Whether `directory` holds the release as it was unpacked: every file with its digest and mode, every link, nothing besides. Never throws.
 */
async function isUnpacked(o: UnpackOptions): Promise<boolean> {
  try {
    const expected = new Map<string, ReleaseFile>(
      [...o.files, ...storageLinks(o)].map((file) => [file.path, file]),
    );
    const present = await pathsIn(o.directory);
    if (!present.every((path) => expected.has(path))) return false;
    const sound = await mapped([...expected.values()], (file) => isSound(join(o.directory, file.path), file));
    return sound.every(Boolean);
  } catch {
    return false;
  }
}

async function writeTree(draft: string, o: UnpackOptions): Promise<void> {
  const links = [...o.files.filter((file) => file.kind === 'link'), ...storageLinks(o)];
  const files = o.files.filter((file) => file.kind === 'file');
  for (const folder of foldersOf([...files, ...links])) {
    await mkdir(join(draft, folder), { recursive: true });
    // Whatever the server's umask: a component's own user has to get in.
    await chmod(join(draft, folder), 0o755);
  }
  await mapped(files, (file) => writeFile(join(draft, file.path), file, o.blobs));
  for (const { path, target } of links) await symlink(target, join(draft, path));
}

/** The tree itself, and every folder in it, outer ones first. */
function foldersOf(files: readonly ReleaseFile[]): Set<string> {
  const folders = new Set(['.']);
  for (const { path } of files) {
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1))
      folders.add(path.slice(0, end));
  }
  return folders;
}

async function writeFile(path: string, file: PlainFile, blobs: BlobFiles): Promise<void> {
  await copyFile(await blobs.path(file.digest), path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  await chmod(path, modeOf(file));
  if ((await digestOf(path, file.sizeBytes)) === file.digest) return;
  throw new FulcrumError(
    'store-failed',
    `What is kept of ${file.path} is damaged: it is not ${file.digest}.`,
  );
}

function modeOf(file: PlainFile): number {
  return file.executable ? 0o555 : 0o444;
}

async function isSound(path: string, file: ReleaseFile): Promise<boolean> {
  if (file.kind === 'link') return (await readlink(path)) === file.target;
  const { size, mode } = await lstat(path);
  if (size !== file.sizeBytes || (mode & 0o777) !== modeOf(file)) return false;
  return (await digestOf(path, size)) === file.digest;
}

/** In relative form, so that the server's data folder can be moved. */
function storageLinks({ storage, directory }: UnpackOptions): Extract<ReleaseFile, { kind: 'link' }>[] {
  return storage.map(({ path, target }) => ({
    kind: 'link',
    path,
    target: relative(dirname(resolve(directory, path)), target),
  }));
}

/**
 * Gives the draft its name. Others may be doing the same, and things may run from theirs already, so one that is whole is left where
 * it is: only one that is damaged makes room, and what runs from that keeps its files open.
 */
async function putInPlace(draft: string, o: UnpackOptions): Promise<void> {
  const aside = `${draft}-old`;
  try {
    for (let tries = 1; ; tries += 1) {
      try {
        await rename(draft, o.directory);
        return;
      } catch (error) {
        if (!isOccupied(error) || tries === TRIES) throw error;
      }
      if (await isUnpacked(o)) {
        await rm(draft, { recursive: true, force: true });
        return;
      }
      await rm(aside, { recursive: true, force: true });
      await moveAside(o.directory, aside);
    }
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function moveAside(directory: string, aside: string): Promise<void> {
  try {
    await rename(directory, aside);
  } catch (error) {
    // Somebody else has just moved it.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Of all files and links below `directory`; folders that hold nothing are a fault, and told as a path of their own. */
async function pathsIn(directory: string): Promise<string[]> {
  const found: string[] = [];
  const waiting = [''];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const entries = await readdir(join(directory, folder), { withFileTypes: true });
    if (entries.length === 0 && folder !== '') found.push(`${folder}/`);
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) waiting.push(path);
      else found.push(path);
    }
  }
  return found;
}

async function digestOf(path: string, sizeBytes: number): Promise<string> {
  const hash = createHash('sha256');
  if (sizeBytes <= WHOLE_BYTES) return hash.update(await readFile(path)).digest('hex');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** `work` for each, a few at a time; rejects with the first failure once those under way have ended. */
async function mapped<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = items.entries();
  let failure: { error: unknown } | null = null;
  const worker = async (): Promise<void> => {
    for (const [index, item] of rest) {
      if (failure !== null) return;
      try {
        results[index] = await work(item);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  if (failure !== null) throw (failure as { error: unknown }).error;
  return results;
}

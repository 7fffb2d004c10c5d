import type { Dirent } from 'node:fs';
import { lstat, readdir, readlink, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import { linkProblem } from '../release-path.ts';
import type { FoundFile, PackProblem } from './found-file.ts';

/** Beyond so many a walk ends: the folder is not an app's. */
const MAX_ENTRIES = 500_000;
const AT_ONCE = 32;

export interface WalkOptions {
  /** Absolute, without links. */
  readonly directory: string;
  /** Where it will lie in the tree; empty for the tree itself. */
  readonly path: string;
  /** What links may lead to: this folder and what is below. */
  readonly within: string;
  /** @param path in the tree. */
  skips(path: string, isFolder: boolean): boolean;
}

export interface Walked {
  readonly files: readonly FoundFile[];
  readonly problems: readonly PackProblem[];
}

/** The files and links below a folder, those that are skipped excepted. Links are kept, not followed. Rejects for nothing that it finds. */
export async function walkFolder(o: WalkOptions): Promise<Walked> {
  const files: FoundFile[] = [];
  const problems: PackProblem[] = [];
  const waiting = [''];
  let seen = 0;
  const look = async (below: string, entry: Dirent): Promise<void> => {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    const path = o.path === '' ? name : `${o.path}/${name}`;
    if (o.skips(path, entry.isDirectory())) return;
    if (entry.isDirectory()) {
      waiting.push(name);
      return;
    }
    const source = join(o.directory, name);
    try {
      if (entry.isSymbolicLink()) {
        const target = await targetOf(source, path, o);
        if (typeof target === 'string') files.push({ kind: 'link', path, target });
        else problems.push({ path, message: target.problem });
      } else if (entry.isFile()) {
        const { size, mode } = await lstat(source);
        files.push({ kind: 'file', path, source, sizeBytes: size, executable: (mode & 0o100) !== 0 });
      } else {
        problems.push({ path, message: `is ${kindOf(entry)}, and no file` });
      }
    } catch (error) {
      problems.push({ path, message: `cannot be read: ${messageOf(error)}` });
    }
  };

  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    let entries: Dirent[];
    try {
      entries = await readdir(join(o.directory, below), { withFileTypes: true });
    } catch (error) {
      problems.push({ path: join(o.path, below) || '.', message: `cannot be read: ${messageOf(error)}` });
      continue;
    }
    seen += entries.length;
    if (seen > MAX_ENTRIES) {
      problems.push({
        path: o.path || '.',
        message: `holds more than ${MAX_ENTRIES.toLocaleString('en-GB')} files`,
      });
      break;
    }
    for (let at = 0; at < entries.length; at += AT_ONCE) {
      await Promise.all(entries.slice(at, at + AT_ONCE).map((entry) => look(below, entry)));
    }
  }
  return { files, problems };
}

/** What the link is to hold in the tree: always relative, and in the plainest form. */
async function targetOf(source: string, path: string, o: WalkOptions): Promise<string | { problem: string }> {
  const written = await readlink(source);
  const folder = dirname(source);
  const real = await realpath(source).catch(() => null);
  const meant = resolve(folder, written);
  if (!isWithin(o.within, real ?? meant)) {
    return { problem: `is a link to ${written}, which lies outside the app's folder` };
  }
  if (linkProblem(path, written) === null && isWithin(o.within, meant)) return written;
  // Absolute, or with `..` behind a name: where it really leads is written instead.
  const plain = relative(folder, real ?? meant);
  return plain === '' ? '.' : plain;
}

export function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

function kindOf(entry: Dirent): string {
  if (entry.isSocket()) return 'a socket';
  if (entry.isFIFO()) return 'a named pipe';
  return 'a device';
}

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { messageOf } from '../../base/errors.ts';
import type { ReleaseFile } from '../../model/release.ts';
import type { FoundFile, PackProblem } from './found-file.ts';

const AT_ONCE = 16;
const TRIES = 3;
const PIECE_BYTES = 256 * 1024;

export interface Hashed {
  readonly files: readonly ReleaseFile[];
  /** By digest: a file that holds it. */
  readonly sources: ReadonlyMap<string, BlobSource>;
  readonly problems: readonly PackProblem[];
}

export interface BlobSource {
  /** In the tree, for people. */
  readonly path: string;
  /** Absolute. */
  readonly source: string;
  readonly sizeBytes: number;
}

/** `found` with the digests of what they hold. A file that changes while it is read is read again, twice at most. */
export async function hashFiles(found: readonly FoundFile[]): Promise<Hashed> {
  const files: ReleaseFile[] = [];
  const problems: PackProblem[] = [];
  const sources = new Map<string, BlobSource>();
  const one = async (file: FoundFile, index: number): Promise<void> => {
    if (file.kind === 'link') {
      files[index] = file;
      return;
    }
    const { path, source, executable } = file;
    try {
      const read = await hashOf(source);
      if (read === null) {
        problems.push({ path, message: 'changes all the time, and cannot be read as it is' });
        return;
      }
      files[index] = { kind: 'file', path, ...read, executable };
      if (!sources.has(read.digest)) sources.set(read.digest, { path, source, sizeBytes: read.sizeBytes });
    } catch (error) {
      problems.push({ path, message: `cannot be read: ${messageOf(error)}` });
    }
  };
  for (let at = 0; at < found.length; at += AT_ONCE) {
    await Promise.all(found.slice(at, at + AT_ONCE).map((file, index) => one(file, at + index)));
  }
  return { files: files.filter((file) => file !== undefined), sources, problems };
}

/** Null where it was another file after the reading than before, each time. */
async function hashOf(source: string): Promise<{ digest: string; sizeBytes: number } | null> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const file = await open(source, 'r');
    try {
      const before = await file.stat({ bigint: true });
      const hash = createHash('sha256');
      const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, Number(before.size) + 1));
      let sizeBytes = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, sizeBytes);
        if (bytesRead === 0) break;
        hash.update(buffer.subarray(0, bytesRead));
        sizeBytes += bytesRead;
      }
      const after = await file.stat({ bigint: true });
      const isSame = before.mtimeNs === after.mtimeNs && before.size === after.size;
      if (isSame && BigInt(sizeBytes) === after.size) return { digest: hash.digest('hex'), sizeBytes };
    } finally {
      await file.close();
    }
  }
  return null;
}

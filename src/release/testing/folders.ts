import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { lstat, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import type { BlobStore } from '../../model/blob-store.ts';
import type { BlobFiles } from '../unpack.ts';

/** A folder that is gone after the test. */
export function folder(t: TestContext): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'fulcrum-release-')));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** What a path of a tree is to hold: text or bytes, a program, a link. */
export type Content = string | Uint8Array | { readonly program: string } | { readonly link: string };

export function write(directory: string, tree: Readonly<Record<string, Content>>): void {
  for (const [path, content] of Object.entries(tree)) {
    const at = join(directory, path);
    mkdirSync(dirname(at), { recursive: true });
    if (typeof content === 'string' || content instanceof Uint8Array) writeFileSync(at, content);
    else if ('link' in content) symlinkSync(content.link, at);
    else {
      writeFileSync(at, content.program);
      chmodSync(at, 0o755);
    }
  }
}

/** A tree as it lies on disk: by path its kind, whether it may be run, and its bytes or target. */
export async function treeOf(directory: string, below = ''): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of (await readdir(join(directory, below))).toSorted()) {
    const path = below === '' ? name : `${below}/${name}`;
    const stats = await lstat(join(directory, path));
    if (stats.isDirectory()) Object.assign(found, await treeOf(directory, path));
    else if (stats.isSymbolicLink()) found[path] = `link ${await readlink(join(directory, path))}`;
    else {
      const digest = createHash('sha256')
        .update(await readFile(join(directory, path)))
        .digest('hex');
      found[path] = `${(stats.mode & 0o111) === 0 ? 'file' : 'program'} ${digest}`;
    }
  }
  return found;
}

/** A store of blobs in a folder, one file for each: what is behind the real one's port, as plainly as can be. */
export class FolderBlobs implements Pick<BlobStore, 'put' | 'missing'>, BlobFiles {
  readonly #directory: string;
  readonly puts: string[] = [];
  readonly #kept = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  async missing(digests: readonly string[]): Promise<readonly string[]> {
    return digests.filter((digest) => !this.#kept.has(digest));
  }

  async put(digest: string, sizeBytes: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    const pieces: Uint8Array[] = [];
    for await (const piece of content) pieces.push(Uint8Array.from(piece));
    const bytes = Buffer.concat(pieces);
    if (bytes.length !== sizeBytes || createHash('sha256').update(bytes).digest('hex') !== digest) {
      throw new FulcrumError('blob-invalid', `${digest} is not what it says.`);
    }
    this.puts.push(digest);
    if (this.#kept.has(digest)) return;
    await writeFile(join(this.#directory, digest), bytes, { mode: 0o444 });
    this.#kept.add(digest);
  }

  async add(content: string | Uint8Array): Promise<string> {
    const bytes = Buffer.from(content);
    const digest = createHash('sha256').update(bytes).digest('hex');
    if (!this.#kept.has(digest)) await writeFile(join(this.#directory, digest), bytes, { mode: 0o444 });
    this.#kept.add(digest);
    return digest;
  }

  async path(digest: string): Promise<string> {
    if (!this.#kept.has(digest)) throw new FulcrumError('store-failed', `The blob ${digest} is missing.`);
    return join(this.#directory, digest);
  }
}

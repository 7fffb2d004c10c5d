import { chmod, lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FulcrumError } from '../base/errors.ts';
import { storagePaths } from '../config/storage-paths.ts';
import type { ReleaseFile, ReleaseManifest } from '../model/release.ts';
import { folded, linkedPath, linksIn } from '../release/release-path.ts';
import { treeProblems } from '../release/tree-problems.ts';
import { unpackRelease, type BlobFiles } from '../release/unpack.ts';

export interface ReleaseTreeOptions {
  /** Has been checked (`checkManifest`). */
  readonly manifest: ReleaseManifest;
  /** Where the tree is to lie: `DATA/apps/<id>/releases/<n>`. */
  readonly directory: string;
  /** `DATA/apps/<id>/storage`: what components store, across releases. */
  readonly storageDirectory: string;
  readonly blobs: BlobFiles;
}

const MOST_STORED = 1_000;

/**
 * Puts a release's tree in its place, with links to what its components store. Idempotent; a damaged tree is made anew.
 * @throws FulcrumError `manifest-invalid` where files lie in what a component stores, or links lead there; `store-failed`.
 */
export async function placeReleaseTree(o: ReleaseTreeOptions): Promise<void> {
  const paths = storagePaths(o.manifest.config);
  const { files } = o.manifest;
  if (paths.length > MOST_STORED)
    throw invalid(`Its components store in ${paths.length} folders; at most ${MOST_STORED} are taken.`);
  const links = paths.map((path) => ({ kind: 'link' as const, path, target: '.' }));
  const [problem] = treeProblems([...files, ...links], 1);
  if (problem !== undefined) {
    const { path } = [...files, ...links][problem.index]!;
    throw invalid(
      `'${path}' ${problem.message}: it meets what a component stores (${paths.join(', ')}), which is no part of a release.`,
    );
  }
  refuseLinksInto(paths, files);
  await makeStorage(o.storageDirectory, paths);
  await unpackRelease({
    files,
    directory: o.directory,
    blobs: o.blobs,
    storage: paths.map((path) => ({ path, target: join(o.storageDirectory, path) })),
  });
}

/** Components put what they like there, links to anywhere too: where such a link ends they would decide. */
function refuseLinksInto(stored: readonly string[], files: readonly ReleaseFile[]): void {
  if (stored.length === 0) return;
  const links = new Map(files.flatMap((file) => (file.kind === 'link' ? [[file.path, file.target]] : [])));
  const folders = new Set(stored.map(folded));
  const realPath = linksIn(links);
  for (const [path, target] of links) {
    // None of a release's links lies there, so that one that passes it ends in it.
    const real = realPath(linkedPath(path, target)) ?? '';
    if (!withAbove(folded(real)).some((each) => folders.has(each))) continue;
    throw invalid(
      `'${path}' is a link into what a component stores (${stored.join(', ')}), which is no part of a release. Leave it out; components find their storage by its own path.`,
    );
  }
}

function withAbove(path: string): string[] {
  const all = [path];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
    all.push(path.slice(0, at));
  return all;
}

/**
 * Folders by steps, none of which follows a link that a component has put there. Nobody but the server comes to them by their paths: each
 * component has its own mounted.
 */
async function makeStorage(root: string, paths: readonly string[]): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  await chmod(root, 0o700);
  for (const path of paths) {
    let at = root;
    for (const name of path.split('/')) {
      at = join(at, name);
      await mkdir(at).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      });
      if ((await lstat(at)).isDirectory()) continue;
      throw invalid(
        `Its components store in '${path}', and on the way there lies a file or a link that an earlier release's components have put there. Choose another folder.`,
      );
    }
  }
}

function invalid(message: string): FulcrumError {
  return new FulcrumError('manifest-invalid', message);
}

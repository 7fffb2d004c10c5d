import { readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { FoundFile } from './found-file.ts';
import type { PlacedPackage } from './package-tree.ts';
import { isWithin } from './walk-folder.ts';

/**
 * The programs of packages that go along, as package managers put them into `node_modules/.bin`, where `npm run` and `npx` look: links,
 * or small scripts (pnpm).
 * @param from the folders whose `node_modules`, and those above, are looked at.
 */
export async function binLinks(
  from: readonly string[],
  packages: readonly PlacedPackage[],
  appDirectory: string,
): Promise<FoundFile[]> {
  const found = new Map<string, FoundFile>();
  for (const folder of new Set(from.flatMap(foldersAbove))) {
    const bin = join(folder, 'node_modules', '.bin');
    const place = isWithin(appDirectory, folder) ? relative(appDirectory, bin) : join('node_modules', '.bin');
    for (const name of namesIn(bin)) {
      const path = `${place}/${name}`;
      if (found.has(path)) continue;
      const file = await binFile(join(bin, name), path, packages);
      if (file !== null) found.set(path, file);
    }
  }
  return [...found.values()];
}

async function binFile(
  source: string,
  path: string,
  packages: readonly PlacedPackage[],
): Promise<FoundFile | null> {
  let real: string;
  try {
    readlinkSync(source);
    real = realpathSync(source);
  } catch {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!packages.some(({ manifest }) => manifest.bins.includes(name))) return null;
    const stats = await stat(source).catch(() => null);
    if (stats === null || !stats.isFile()) return null;
    return { kind: 'file', path, source, sizeBytes: stats.size, executable: (stats.mode & 0o100) !== 0 };
  }
  const owner = packages
    .filter(({ directory }) => isWithin(directory, real))
    .sort((a, b) => b.directory.length - a.directory.length)[0];
  if (owner === undefined) return null;
  const target = `${owner.path}/${relative(owner.directory, real)}`;
  return { kind: 'link', path, target: relative(dirname(path), target) };
}

function foldersAbove(folder: string): string[] {
  return folder === dirname(folder) ? [folder] : [folder, ...foldersAbove(dirname(folder))];
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

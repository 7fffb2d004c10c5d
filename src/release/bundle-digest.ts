import { createHash } from 'node:crypto';
import type { ReleaseBundle, ReleaseFile } from '../model/release.ts';

type PlainFile = Extract<ReleaseFile, { kind: 'file' }>;

/**
 * What the files in the folder of `entry` are as a bundle. The digest is SHA-256, hex, over a line for each of them in the order of
 * their names: its digest, its size, its name. So it follows from a manifest alone, and nobody need believe what a manifest says it is.
 * @param files of that folder at least; others do not count.
 */
export function bundleOf(entry: string, files: readonly ReleaseFile[]): ReleaseBundle {
  const folder = `${entry.slice(0, entry.lastIndexOf('/'))}/`;
  const own = files
    .filter((file): file is PlainFile => file.kind === 'file' && file.path.startsWith(folder))
    .map((file) => ({ ...file, name: file.path.slice(folder.length) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const hash = createHash('sha256');
  for (const { digest, sizeBytes, name } of own) hash.update(`${digest} ${sizeBytes} ${name}\n`);
  const code = own.filter(({ name }) => !name.endsWith('.map'));
  return {
    path: entry,
    digest: hash.digest('hex'),
    sizeBytes: code.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}

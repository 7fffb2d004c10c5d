import { join, posix } from 'node:path';
import { readDraft } from './draft.ts';

/**
 * The folders that components of `config` store in, relative to the app's, each once and none inside another. What is wrong with the
 * config is not told here, and what leads out of the app's folder left out: `loadApp` refuses both.
 */
export function storagePaths(config: unknown): string[] {
  const all = readDraft(config).components.flatMap(({ values }) =>
    'storage' in values ? (values.storage ?? []) : [],
  );
  const paths = new Set(all.map((folder) => join(folder).replace(/\/$/, '')));
  return [...paths]
    .filter((path) => path !== '.' && path !== '..' && !path.startsWith('../') && !posix.isAbsolute(path))
    .filter((path) => !isBelowOneOf(paths, path))
    .sort();
}

function isBelowOneOf(paths: ReadonlySet<string>, path: string): boolean {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
    if (paths.has(path.slice(0, end))) return true;
  return false;
}

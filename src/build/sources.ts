import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';

import { isInNodeModules } from './imports.ts';

/** Files that steer the build of the sources beside and below them. */
const STEERING = ['package.json', 'tsconfig.json'];

/**
 * The files of which a change may change the bundle: the app's own modules and those of linked workspace packages, and
 * every package.json and tsconfig (with what it extends) that steered them. Installed packages are left out.
 */
export async function influencesOf(
  modules: Iterable<string>,
  o: { appDirectory: string },
): Promise<string[]> {
  const { resolveTsconfig } = await import('rolldown/experimental');
  const { TsconfigCache } = await import('rolldown/utils');
  const cache = new TsconfigCache();
  const files = [...modules]
    .map((module) => module.replace(/[?#].*$/, ''))
    .filter((file) => isAbsolute(file) && !isInNodeModules(file));
  const directories = new Set(files.flatMap((file) => directoriesUp(dirname(file), o.appDirectory)));
  const beside = [...directories].flatMap((directory) => STEERING.map((name) => join(directory, name)));
  const configs = new Set([...files.flatMap(tsconfigsOf), ...beside.filter((path) => existsSync(path))]);
  for (const path of configs) for (const base of basesOf(path)) configs.add(base);
  return [...new Set([...files, ...configs])].sort();

  function tsconfigsOf(file: string): readonly string[] {
    try {
      return resolveTsconfig(file, cache)?.tsconfigFilePaths ?? [];
    } catch {
      return []; // a tsconfig that cannot be read is the bundler's to complain of
    }
  }
}

/** The files that a tsconfig names in `extends`; those of installed packages are left out. */
function basesOf(path: string): string[] {
  if (path.endsWith('package.json')) return [];
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  // A tsconfig has comments and trailing commas; this one key can be read without understanding the rest.
  const value = /"extends"\s*:\s*("[^"]*"|\[[^\]]*\])/.exec(text)?.[1] ?? '';
  return [...value.matchAll(/"(\.{1,2}\/[^"]*)"/g)]
    .map(([, name]) => resolve(dirname(path), name!))
    .map((base) => (base.endsWith('.json') ? base : `${base}.json`));
}

/** `directory` and those above it: up to the app's for what lies in the app, else up to the nearest package's. */
function directoriesUp(directory: string, appDirectory: string): string[] {
  const up: string[] = [];
  const isInApp = !relative(appDirectory, directory).startsWith('..');
  for (let at = directory; ; at = dirname(at)) {
    up.push(at);
    const isLast = isInApp ? at === appDirectory : existsSync(join(at, 'package.json'));
    if (isLast || at === dirname(at)) return up;
  }
}

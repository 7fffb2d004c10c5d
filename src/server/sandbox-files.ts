import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { packageDirectoryOf } from '../build/native-package.ts';
import type { AppSpec, RunnableSpec } from '../model/app.ts';
import type { Revision } from '../model/revision.ts';
import { isWithin, outermost } from '../runtime/sandbox/plan.ts';
import { SYSTEM_FOLDERS } from '../runtime/sandbox/system-files.ts';

/** Links out of the app that are followed; an app with more of them has its packages elsewhere altogether. */
const MAX_LINKS = 500;
/** Files whose modes are looked at. */
const MAX_LOOKED_AT = 500;
const DOT_ENV = /^\.env(?:\..+)?$/;

/** What of the host's files a component sees; each path is its real one. */
export interface ComponentFiles {
  /** The app's own: its folder, its packages, the bundle. */
  readonly readable: readonly string[];
  /** Of that: the app's secrets, the server's data, and what other components store. */
  readonly hidden: readonly string[];
  readonly writable: readonly string[];
}

/** @param dataDirectory the server's own. @param path the programs' PATH. */
export async function componentFiles(
  app: AppSpec,
  revision: Revision,
  dataDirectory: string,
  path: string,
): Promise<ComponentFiles> {
  const { spec } = revision;
  const readable = [app.directory, ...packagesOf(app.directory)];
  if (revision.kind === 'module') {
    readable.push(dirname(revision.bundle.path), ...outside(revision.bundle.sources, app.directory));
  } else {
    readable.push(await real(revision.spec.cwd), ...programFolders(revision.spec.command, path));
  }
  readable.push(...(await linksOf(app)));
  const writable = await storageOf(spec);
  const others = (await Promise.all(runnable(app).map(storageOf))).flat();
  const hidden = [
    ...(await dotEnvFiles(app.directory)),
    join(app.directory, '.fulcrum'),
    dataDirectory,
    ...others.filter((folder) => !writable.some((own) => isWithin(own, folder) || isWithin(folder, own))),
  ].filter((folder) => existsSync(folder));
  return { readable: [...new Set(readable)], hidden: [...new Set(hidden)], writable };
}

/** The components that have instances. */
export function runnable(app: AppSpec): RunnableSpec[] {
  return [...app.components.values()].filter((spec) => spec.kind !== 'static');
}

export async function storageOf(spec: RunnableSpec): Promise<string[]> {
  return await Promise.all(spec.storage.map(real));
}

/**
 * Why another user could not read all of `paths` or `files`, those of the files that are looked at; null where it could.
 * @param fromRoot whether the folders on the way count as well.
 */
export async function closedToOthers(
  paths: readonly string[],
  files: readonly string[],
  fromRoot: boolean,
): Promise<string | null> {
  const above = fromRoot ? paths.flatMap(foldersAbove) : [];
  for (const path of new Set([...above, ...paths, ...files.slice(0, MAX_LOOKED_AT)])) {
    const info = await stat(path).catch(() => null);
    if (info === null) continue;
    const needed = !info.isDirectory() ? 0o004 : above.includes(path) ? 0o001 : 0o005;
    if ((info.mode & needed) !== needed) return `${path} is closed to other users`;
  }
  return null;
}

function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let above = dirname(path); above !== dirname(above); above = dirname(above)) folders.push(above);
  return folders;
}

/** Where Node looks for packages: beside the app, and above it where it is one of several. */
function packagesOf(directory: string): string[] {
  return [directory, ...foldersAbove(directory)]
    .map((folder) => join(folder, 'node_modules'))
    .filter((folder) => existsSync(folder));
}

/** Packages of the same workspace: their code is in the bundle, their data files are beside it. */
function outside(sources: readonly string[], directory: string): string[] {
  const folders = sources
    .filter((source) => !isWithin(source, directory) && !source.includes('/node_modules/'))
    .map((source) => packageDirectoryOf(dirname(source)) ?? dirname(source));
  return outermost(folders).filter((folder) => !isWithin(directory, folder));
}

/**
 * Where a shell finds programs, beside the system's folders, and the libraries that programs installed so have next to them
 * (`PREFIX/bin` and `PREFIX/lib`); and likewise of what the command names by an absolute path.
 */
function programFolders(command: string, path: string): string[] {
  const named = command.split(/\s+/).filter((word) => isAbsolute(word) && existsSync(word));
  const folders = [...path.split(':').filter(isAbsolute), ...named.map((word) => dirname(word))];
  return folders
    .filter((folder) => !SYSTEM_FOLDERS.some((system) => isWithin(folder, system)) && folder !== '/')
    .flatMap((folder) => (basename(folder) === 'bin' ? [folder, join(dirname(folder), 'lib')] : [folder]))
    .filter((folder) => existsSync(folder));
}

const links = new WeakMap<AppSpec, Promise<string[]>>();

/** Where links in the app's folder and among its packages lead to: a package of the workspace, a folder kept elsewhere. */
function linksOf(app: AppSpec): Promise<string[]> {
  let found = links.get(app);
  if (found === undefined) links.set(app, (found = linkedFrom(app.directory)));
  return found;
}

async function linkedFrom(directory: string): Promise<string[]> {
  const packages = packagesOf(directory);
  const readable = [directory, ...packages];
  const scopes = await Promise.all(packages.map(scopesIn));
  const found: string[] = [];
  for (const folder of [directory, ...packages, ...scopes.flat()]) {
    for (const name of [...(await namesIn(folder)), '.']) {
      if (found.length >= MAX_LINKS) return found;
      const path = join(folder, name);
      const info = await lstat(path).catch(() => null);
      if (info?.isSymbolicLink() !== true) continue;
      const target = await realpath(path).catch(() => null);
      // A link to what holds the app would show all that lies around it.
      if (target === null || isWithin(directory, target)) continue;
      if (![...readable, ...found].some((known) => isWithin(target, known))) found.push(target);
    }
  }
  return found;
}

async function scopesIn(packages: string): Promise<string[]> {
  return (await namesIn(packages)).filter((name) => name.startsWith('@')).map((name) => join(packages, name));
}

async function dotEnvFiles(directory: string): Promise<string[]> {
  return (await namesIn(directory)).filter((name) => DOT_ENV.test(name)).map((name) => join(directory, name));
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []);
}

async function real(path: string): Promise<string> {
  return await realpath(path).catch(() => path);
}

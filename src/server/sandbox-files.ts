import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { FulcrumError } from '../base/errors.ts';
import { waypoints } from '../base/waypoints.ts';
import { packageDirectoryOf } from '../build/native-package.ts';
import type { AppSpec, UnitSpec } from '../model/app.ts';
import { runnableOf } from '../model/units.ts';
import { bundlesOf, type Revision } from '../model/revision.ts';
import { isWithin, outermost } from '../runtime/sandbox/plan.ts';
import { SYSTEM_FOLDERS } from '../runtime/sandbox/system-files.ts';

/** Links out of the app that are followed; an app with more of them has its packages elsewhere altogether. */
const MAX_LINKS = 500;
/** Files whose modes are looked at. */
const MAX_LOOKED_AT = 500;
const DOT_ENV = /^\.env(?:\..+)?$/;

/** What of the host's files a component sees, or a group, which sees those of all its members; each path is its real one. */
export interface ComponentFiles {
  /** The app's own: its folder, its packages, the bundle. */
  readonly readable: readonly string[];
  /** Of that: the app's secrets, the server's data, and what other components store. */
  readonly hidden: readonly string[];
  readonly writable: readonly string[];
}

/**
 * @param dataDirectory the server's own. @param path the programs' PATH.
 * Rejects with `config-invalid` where a folder to store in is not the app's.
 */
export async function componentFiles(
  app: AppSpec,
  revision: Revision,
  dataDirectory: string,
  path: string,
): Promise<ComponentFiles> {
  const { spec } = revision;
  const readable =
    app.storageDirectory === null ? await ofFolder(app, revision, path) : ofRelease(app, revision, path);
  const writable = await storageOf(app, spec);
  const others = (await Promise.all(runnableOf(app).map((other) => storageOf(app, other)))).flat();
  const hidden = [
    ...(await dotEnvFiles(app.directory)),
    join(app.directory, '.fulcrum'),
    dataDirectory,
    ...others.filter((folder) => !writable.some((own) => isWithin(own, folder) || isWithin(folder, own))),
  ].filter((folder) => existsSync(folder));
  return { readable: [...new Set(readable)], hidden: [...new Set(hidden)], writable };
}

/** Of an app in its author's own folder: what that leads to is the author's as well. */
async function ofFolder(app: AppSpec, revision: Revision, path: string): Promise<string[]> {
  const own =
    revision.kind === 'command'
      ? [
          await real(revision.spec.cwd),
          ...programFolders(namedPrograms(revision.spec.command)),
          ...programFolders(onPath(path)),
        ]
      : bundlesOf(revision).flatMap((bundle) => [
          dirname(bundle.path),
          ...outside(bundle.sources, app.directory),
        ]);
  return [app.directory, ...packagesOf(app.directory), ...own, ...(await linksOf(app))];
}

/**
 * Of a release: its tree, and the programs that whoever runs the server has put into its PATH. A config and links may come from anybody who
 * deploys, who must not see by them what else lies on the server: so nothing that they name is followed out of the tree.
 */
function ofRelease(app: AppSpec, revision: Revision, path: string): string[] {
  const own =
    revision.kind === 'command'
      ? programFolders(onPath(path))
      : bundlesOf(revision).map((bundle) => dirname(bundle.path));
  return [app.directory, ...own];
}

/**
 * Where a component stores: real folders, none inside another. On a server that follows from the names alone, since whoever writes in there
 * may put links in it.
 * @throws FulcrumError `config-invalid` where a link on the way leads out of the app's folder.
 */
export async function storageOf(app: AppSpec, spec: UnitSpec): Promise<string[]> {
  const { directory, storageDirectory } = app;
  if (storageDirectory !== null)
    return outermost(spec.storage.map((folder) => join(storageDirectory, relative(directory, folder))));
  const [root, ...folders] = await Promise.all([directory, ...spec.storage].map(real));
  const led = folders.findIndex((folder) => folder === root || !isWithin(folder, root!));
  if (led === -1) return outermost(folders);
  throw new FulcrumError(
    'config-invalid',
    `'${relative(directory, spec.storage[led]!)}', which ${spec.name} stores in, leads out of the app's folder by a link. Remove the link.`,
  );
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

function onPath(path: string): string[] {
  return path.split(':').filter(isAbsolute);
}

/** The folders of what a command names by an absolute path. */
function namedPrograms(command: string): string[] {
  const named = command.split(/\s+/).filter((word) => isAbsolute(word) && existsSync(word));
  return named.map((word) => dirname(word));
}

/**
 * Of folders in which a shell finds programs, those beside the system's, and the libraries that programs installed so have next to
 * them (`PREFIX/bin` and `PREFIX/lib`).
 */
function programFolders(folders: readonly string[]): string[] {
  return folders
    .filter((folder) => !SYSTEM_FOLDERS.some((system) => isWithin(folder, system)) && folder !== '/')
    .flatMap((folder) => (basename(folder) === 'bin' ? [folder, join(dirname(folder), 'lib')] : [folder]))
    .filter((folder) => existsSync(folder));
}

const links = new WeakMap<AppSpec, Promise<string[]>>();

/** Where links in the app's folder and among its packages lead to: a package of the workspace, a folder kept elsewhere. */
function linksOf(app: AppSpec): Promise<string[]> {
  let found = links.get(app);
  if (found === undefined) links.set(app, (found = linkedFrom(app)));
  return found;
}

async function linkedFrom(app: AppSpec): Promise<string[]> {
  const { directory } = app;
  const stored = (await Promise.all(runnableOf(app).map((spec) => storageOf(app, spec)))).flat();
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
      // Components decide where a link leads that leads through what they store.
      const passed = stored.length === 0 ? [] : await waypoints(path);
      if (passed.some((place) => stored.some((folder) => isWithin(place, folder)))) continue;
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

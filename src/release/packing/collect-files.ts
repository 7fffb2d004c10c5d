import { existsSync, realpathSync } from 'node:fs';
import { relative } from 'node:path';
import { platformName, type Platform } from '../../base/platform.ts';
import { linkedPath } from '../release-path.ts';
import { binLinks } from './bin-links.ts';
import { commandPackages } from './command-packages.ts';
import type { FoundFile, PackProblem } from './found-file.ts';
import { ignoreRules, isNever } from './ignore-rules.ts';
import { isForAnother, nativeFiles, platformPackages, type NativeMismatch } from './native-packages.ts';
import { readPackageJson } from './package-json.ts';
import { packageTree, type PackageNeed, type PlacedPackage } from './package-tree.ts';
import { isWithin, walkFolder } from './walk-folder.ts';

export interface CollectOptions {
  /** The app's, absolute and without links. */
  readonly directory: string;
  /** Folders that components store in, absolute: what is in them is not the app's. */
  readonly storage: readonly string[];
  readonly commands: readonly { readonly name: string; readonly command: string; readonly cwd: string }[];
  /** What modules need beside their bundles. */
  readonly needs: readonly PackageNeed[];
  /** Folders of bundles, absolute, in the app's `.fulcrum`. */
  readonly bundles: readonly string[];
  /** Folders that are served, absolute; packages' among them. */
  readonly folders: readonly string[];
  /** The server's; null where it is not known, and nothing is held against it. */
  readonly platform: Platform | null;
}

export interface Collected {
  /** By path. */
  readonly files: readonly FoundFile[];
  readonly problems: readonly PackProblem[];
  readonly mismatches: readonly NativeMismatch[];
  /** Whether there is native code among the files. */
  readonly isNative: boolean;
  /** Worth telling whoever deploys, a line each. */
  readonly notes: readonly string[];
}

type PlainFile = Extract<FoundFile, { kind: 'file' }>;

/** Every file that goes along: the app's own, its bundles, and the packages that it needs. */
export async function collectFiles(o: CollectOptions): Promise<Collected> {
  const byPath = new Map<string, FoundFile>();
  const problems: PackProblem[] = [];
  const notes: string[] = [];
  const take = (walked: {
    readonly files: readonly FoundFile[];
    readonly problems?: readonly PackProblem[];
  }): void => {
    for (const file of walked.files) byPath.set(file.path, byPath.get(file.path) ?? file);
    problems.push(...(walked.problems ?? []));
  };

  const own = await ownFiles(o);
  take(own);
  for (const bundle of o.bundles) {
    take(
      await walkFolder({
        directory: bundle,
        path: relative(o.directory, bundle),
        within: bundle,
        skips: () => false,
      }),
    );
  }
  for (const folder of o.folders.filter((each) => isInModules(o.directory, each)))
    take(await packageFolder(folder, o));

  const needs = [...o.needs];
  const starts: string[] = [];
  const whole: FoundFile[] = [];
  for (const { name, command, cwd } of o.commands) {
    const found = commandPackages(command, realpathSync(cwd), o.directory);
    if (found.kind === 'listed') {
      needs.push(...found.needs);
      starts.push(cwd);
      if (found.tools.length > 0)
        notes.push(`${name}: ${found.tools.join(', ')} goes along, for the command names it.`);
      continue;
    }
    if (found.folders.length > 0)
      notes.push(`${name}: no package.json lists what it needs, so all installed packages go along.`);
    for (const folder of found.folders) {
      const walked = await wholeModules(folder, o);
      take(walked);
      whole.push(...walked.files);
    }
  }

  const tree = packageTree(needs, o.directory);
  problems.push(...tree.problems);
  const { unused, mismatches } = platformOf(tree.packages, o.platform);
  const packages = tree.packages.filter(({ directory }) => !unused.has(directory));
  const groups = new Map<string, PlainFile[]>();
  for (const each of packages) {
    const walked = await packageFiles(each, o);
    take(walked);
    groups.set(each.name, walked.files.filter(isPlain));
  }
  const leftOut = new Set(
    tree.packages.filter(({ directory }) => unused.has(directory)).map(({ path }) => path),
  );
  take({
    files: tree.links
      .filter(({ path, target }) => !leftOut.has(linkedPath(path, target)))
      .map(({ path, target }) => ({ kind: 'link', path, target })),
  });
  take({ files: await binLinks(starts, packages, o.directory) });

  for (const [group, files] of Map.groupBy([...own.files, ...whole].filter(isPlain), ({ path }) =>
    groupOf(path),
  )) {
    groups.set(group, [...(groups.get(group) ?? []), ...files]);
  }
  const native = await nativeOf(groups, o.platform);
  return {
    files: [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
    problems,
    mismatches: [...mismatches, ...native.mismatches],
    isNative: native.found,
    notes,
  };
}

async function ownFiles(o: CollectOptions): ReturnType<typeof walkFolder> {
  const rules = await ignoreRules(o.directory);
  const storage = new Set(o.storage.map((folder) => relative(o.directory, folder)));
  return walkFolder({
    directory: o.directory,
    path: '',
    within: o.directory,
    skips: (path, isFolder) => storage.has(path) || rules.ignores(path, isFolder),
  });
}

/** What is served of a package goes along, though packages do not by themselves. */
function packageFolder(folder: string, o: CollectOptions): ReturnType<typeof walkFolder> {
  const path = relative(o.directory, folder);
  return walkFolder({ directory: folder, path, within: folder, skips: (each) => isNever(lastName(each)) });
}

/** Without what it has installed below itself: that is placed by itself, where it is needed. */
function packageFiles(each: PlacedPackage, o: CollectOptions): ReturnType<typeof walkFolder> {
  return walkFolder({
    directory: each.directory,
    path: each.path,
    within: isWithin(o.directory, each.directory) ? o.directory : each.directory,
    skips: (path) => isNever(lastName(path)),
  });
}

function wholeModules(folder: string, o: CollectOptions): ReturnType<typeof walkFolder> {
  const elsewhere = new Map<string, boolean>();
  const isElsewhere = (path: string): boolean => {
    const directory = `${o.directory}/${path}`;
    if (!elsewhere.has(path)) {
      const manifest = existsSync(`${directory}/package.json`) ? readPackageJson(directory) : null;
      elsewhere.set(path, manifest !== null && o.platform !== null && isForAnother({ manifest }, o.platform));
    }
    return elsewhere.get(path)!;
  };
  return walkFolder({
    directory: folder,
    path: relative(o.directory, folder),
    within: o.directory,
    skips(path, isFolder) {
      const name = lastName(path);
      if (name !== 'node_modules' && (isNever(name) || name === '.cache')) return true;
      return isFolder && isPackageFolder(path) && isElsewhere(path);
    },
  });
}

function platformOf(
  packages: readonly PlacedPackage[],
  platform: Platform | null,
): ReturnType<typeof platformPackages> {
  return platform === null ? { unused: new Set(), mismatches: [] } : platformPackages(packages, platform);
}

async function nativeOf(
  groups: ReadonlyMap<string, readonly PlainFile[]>,
  platform: Platform | null,
): Promise<{ found: boolean; mismatches: NativeMismatch[] }> {
  const mismatches: NativeMismatch[] = [];
  let found = false;
  for (const [name, files] of groups) {
    if (platform === null) continue;
    const native = await nativeFiles(files, platform);
    found ||= native.found;
    if (native.mismatch === null) continue;
    const { file, is } = native.mismatch;
    mismatches.push({
      what: name === '' ? file.path : name,
      message: `is built for ${platformName(is)} (${file.path})`,
    });
  }
  return { found, mismatches };
}

/** The package that a file belongs to, by its path; each of the app's own files counts for itself. */
function groupOf(path: string): string {
  const names = path.split('/');
  const at = names.lastIndexOf('node_modules');
  if (at === -1) return /\.(?:node|dylib|dll|exe|so)$/.test(path) || !path.includes('.') ? path : '';
  return names.slice(at + 1, at + (names[at + 1]?.startsWith('@') === true ? 3 : 2)).join('/');
}

function isPackageFolder(path: string): boolean {
  return /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^@/.][^/]*$/.test(path);
}

function isInModules(directory: string, folder: string): boolean {
  return isWithin(directory, folder) && relative(directory, folder).split('/').includes('node_modules');
}

function isPlain(file: FoundFile): file is PlainFile {
  return file.kind === 'file';
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

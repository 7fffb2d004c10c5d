import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { readPackageJson, type PackageJson } from './package-json.ts';
import { lookUp, type PackageNeed } from './package-tree.ts';
import { isWithin } from './walk-folder.ts';

/** What a command needs of what is installed. */
export type CommandPackages =
  /** What its package.json lists for production, and the tools that the command itself names. */
  | { readonly kind: 'listed'; readonly needs: readonly PackageNeed[]; readonly tools: readonly string[] }
  /** All of these folders, absolute: no package.json says what is needed. */
  | { readonly kind: 'all'; readonly folders: readonly string[] };

/**
 * @param cwd of the command, absolute, without links, in `appDirectory`.
 */
export function commandPackages(command: string, cwd: string, appDirectory: string): CommandPackages {
  const folders = foldersUp(cwd, appDirectory);
  for (const folder of folders) {
    const manifest = readPackageJson(folder);
    if (manifest === null || !manifest.listsDependencies) continue;
    const by = relative(appDirectory, join(folder, 'package.json'));
    const tools = toolsOf(command, manifest, folder);
    const need = (name: string, isOptional: boolean): PackageNeed => ({
      kind: 'name',
      name,
      from: folder,
      isOptional,
      by,
    });
    return {
      kind: 'listed',
      needs: [
        ...manifest.dependencies.map((name) => need(name, false)),
        ...manifest.optionalDependencies.map((name) => need(name, true)),
        ...tools.map((name) => need(name, true)),
      ],
      tools,
    };
  }
  const installed = folders
    .map((folder) => join(folder, 'node_modules'))
    .filter((folder) => existsSync(folder));
  return { kind: 'all', folders: installed };
}

/** `cwd` and the folders above it, up to the app's. */
function foldersUp(cwd: string, appDirectory: string): string[] {
  const folders: string[] = [];
  for (let at = cwd; isWithin(appDirectory, at); at = dirname(at)) folders.push(at);
  return folders;
}

/** Development dependencies that the command runs all the same: `tsx server.ts`, `node --import tsx …`, or an npm script that does. */
function toolsOf(command: string, manifest: PackageJson, folder: string): string[] {
  const words = wordsOf(command, manifest.scripts);
  return manifest.devDependencies.filter((name) => {
    if ([...words].some((word) => word === name || word.startsWith(`${name}/`))) return true;
    const found = lookUp(name, folder);
    const bins = found === null ? [] : (readPackageJson(found)?.bins ?? []);
    return bins.some((bin) => words.has(bin));
  });
}

/** The words of a command line, and of the scripts that it may run. */
function wordsOf(command: string, scripts: Readonly<Record<string, string>>): Set<string> {
  const words = new Set<string>();
  const waiting = [command];
  const read = new Set<string>();
  for (let line = waiting.pop(); line !== undefined; line = waiting.pop()) {
    for (const word of line.split(/[\s"'`;&|()=]+/)) {
      words.add(word);
      if (!Object.hasOwn(scripts, word) || read.has(word)) continue;
      read.add(word);
      waiting.push(...[`pre${word}`, word, `post${word}`].flatMap((name) => scripts[name] ?? []));
    }
  }
  return words;
}

import { lstatSync, realpathSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { PackProblem } from './found-file.ts';
import { readPackageJson, type PackageJson } from './package-json.ts';
import { isWithin } from './walk-folder.ts';

/** A package that something in the app needs when it runs. */
export type PackageNeed =
  /** As Node finds it from `from`: an absolute folder, without links. */
  | {
      readonly kind: 'name';
      readonly name: string;
      readonly from: string;
      readonly isOptional: boolean;
      readonly by: string;
    }
  /** The one in this folder: absolute, without links. */
  | { readonly kind: 'folder'; readonly directory: string; readonly withDependencies: boolean };

/** An installed package, and where it will lie in the release's tree. */
export interface PlacedPackage {
  readonly name: string;
  /** Absolute, without links. */
  readonly directory: string;
  /** In the tree. */
  readonly path: string;
  readonly manifest: PackageJson;
  /** Of its optional dependencies: what is installed, by name and folder; null for what is not. */
  readonly optional: ReadonlyMap<string, string | null>;
}

export interface PackageTree {
  readonly packages: readonly PlacedPackage[];
  /** Links by which packages are found, as `pnpm` and workspaces have them. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
  readonly problems: readonly PackProblem[];
}

/**
 * What `needs` lead to, dependencies of dependencies included, as Node would find it; and where each package has to lie in the app's
 * own tree, so that Node finds the same there. What is installed in the app stays where it is, and what a workspace keeps above it
 * moves into the app's own `node_modules`. Reads nothing but package.json files.
 */
export function packageTree(needs: readonly PackageNeed[], appDirectory: string): PackageTree {
  return new TreeBuilder(appDirectory).build(needs);
}

interface Placed extends PlacedPackage {
  readonly optional: Map<string, string | null>;
}

class TreeBuilder {
  readonly #app: string;
  /** By real folder. */
  readonly #packages = new Map<string, Placed>();
  readonly #sources = new Map<string, string>();
  readonly #links = new Map<string, string>();
  readonly #problems = new Map<string, PackProblem>();
  readonly #expanded = new Set<string>();

  constructor(app: string) {
    this.#app = app;
  }

  build(needs: readonly PackageNeed[]): PackageTree {
    const waiting = [...needs];
    for (let need = waiting.pop(); need !== undefined; need = waiting.pop()) {
      const directory = need.kind === 'folder' ? need.directory : this.#resolve(need);
      if (directory === null) continue;
      const placed =
        need.kind === 'folder' ? this.#place(directory, directory) : this.#packages.get(directory);
      if (placed === undefined || placed === null) continue;
      if (need.kind === 'folder' && !need.withDependencies) continue;
      if (this.#expanded.has(directory)) continue;
      this.#expanded.add(directory);
      waiting.push(...this.#needsOf(placed));
    }
    return {
      packages: [...this.#packages.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
      links: [...this.#links]
        .map(([path, target]) => ({ path, target }))
        .sort((a, b) => (a.path < b.path ? -1 : 1)),
      problems: [...this.#problems.values()],
    };
  }

  #needsOf(placed: Placed): PackageNeed[] {
    const { manifest, directory, name } = placed;
    const own = (names: readonly string[], isOptional: boolean): PackageNeed[] =>
      names.map((each) => ({ kind: 'name', name: each, from: directory, isOptional, by: name }));
    for (const each of manifest.optionalDependencies) {
      const found = lookUp(each, directory);
      placed.optional.set(each, found === null ? null : realpathSync(found));
    }
    return [
      ...own(manifest.dependencies, true),
      ...own(manifest.optionalDependencies, true),
      ...own(manifest.peerDependencies, true),
    ];
  }

  /** Its real folder, with its place; null where it is not installed. */
  #resolve(need: Extract<PackageNeed, { kind: 'name' }>): string | null {
    const found = lookUp(need.name, need.from);
    if (found === null) {
      if (!need.isOptional) {
        this.#problem(
          need.name,
          `is a dependency of ${need.by}, and is not installed; install the app's packages first`,
        );
      }
      return null;
    }
    let real: string;
    try {
      real = realpathSync(found);
    } catch {
      if (!need.isOptional) this.#problem(found, 'is a link that leads nowhere');
      return null;
    }
    // Folders on the way may be links themselves.
    const place = join(realpathSync(dirname(found)), found.slice(dirname(found).length + 1));
    return this.#place(place, real) === null ? null : real;
  }

  /** @param at where Node finds it: a link to `real`, or the same. */
  #place(at: string, real: string): Placed | null {
    const known = this.#packages.get(real);
    const path = known?.path ?? this.#pathOf(real, at);
    if (at !== real) {
      const linkPath = this.#pathOf(at, at);
      if (linkPath !== path) this.#link(linkPath, path);
    }
    if (known !== undefined) return known;
    const manifest = readPackageJson(real);
    if (manifest === null) {
      this.#problem(real, 'is no package: its package.json cannot be read');
      return null;
    }
    const other = this.#sources.get(path);
    if (other !== undefined) {
      this.#problem(path, `would be both ${other} and ${real}, which are different packages`);
      return null;
    }
    this.#sources.set(path, real);
    const name = manifest.name ?? path.slice(path.lastIndexOf('node_modules/') + 1);
    const placed = { name, directory: real, path, manifest, optional: new Map<string, string | null>() };
    this.#packages.set(real, placed);
    return placed;
  }

  #pathOf(real: string, at: string): string {
    if (real !== this.#app && isWithin(this.#app, real)) return relative(this.#app, real);
    // Inside a package that has its place already: beside what it brings itself.
    const outer = [...this.#packages.values()]
      .filter(({ directory }) => real !== directory && isWithin(directory, real))
      .sort((a, b) => b.directory.length - a.directory.length)[0];
    if (outer !== undefined) return `${outer.path}/${relative(outer.directory, real)}`;
    // What a workspace has above the app.
    const inModules = real.indexOf('/node_modules/');
    if (inModules !== -1) return real.slice(inModules + 1);
    // A package of the workspace, or one that was linked: it takes the place of the link.
    if (at !== real) return this.#pathOf(at, at);
    return `node_modules/${readPackageJson(real)?.name ?? real.slice(real.lastIndexOf('/') + 1)}`;
  }

  #link(path: string, to: string): void {
    const target = relative(dirname(path), to);
    const known = this.#links.get(path);
    if (known !== undefined && known !== target) {
      this.#problem(path, `would lead to both ${known} and ${target}`);
      return;
    }
    this.#links.set(path, target);
  }

  #problem(path: string, message: string): void {
    const shown = isWithin(this.#app, path) ? relative(this.#app, path) : path;
    this.#problems.set(`${shown} ${message}`, { path: shown, message });
  }
}

/** Where Node finds the package `name` from `directory`: https://nodejs.org/api/modules.html#loading-from-node_modules-folders. Null: nowhere. */
export function lookUp(name: string, directory: string): string | null {
  for (let at = directory; ; at = dirname(at)) {
    if (!at.endsWith('/node_modules')) {
      const found = join(at, 'node_modules', name);
      if (exists(found)) return found;
    }
    if (at === dirname(at)) return null;
  }
}

function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

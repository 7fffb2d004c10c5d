import { realpathSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, dirname, join, relative, sep } from 'node:path';

import type { Plugin } from 'rolldown';

import type { MissingImport } from './missing-import.ts';
import { toPosix } from './module-paths.ts';
import { isNativePackage, packageDirectoryOf, readManifest } from './native-package.ts';

/** A specifier that is neither a path, nor a virtual module, nor one of Node's own with its prefix. */
const BARE = /^(?![./\\\0]|node:|data:|file:|[A-Za-z]:[/\\])/;

/** A package that a bundle needs beside itself when it runs. */
export interface PackageBeside {
  /** By which the bundle finds it from the app's folder; null: it names the path. */
  readonly name: string | null;
  /** Absolute, without links. */
  readonly directory: string;
  /** Whether it loads other packages when it runs; else files beside its code are all that it is there for. */
  readonly withDependencies: boolean;
}

interface ImportsOptions {
  readonly sdkPath: string;
  /** What modules above the app's folder are called by, see `PipelineOptions`. */
  readonly inRelease: ((path: string) => string) | null;
  /** Called for each package that is left outside. */
  readonly onOutside: (found: PackageBeside) => void;
  /** Any directory as deep as the one that the bundle will lie in. */
  readonly bundleDirectory: string;
  /** Called for an import of a package that cannot be found and must be. Not for a `require`, which may stand in a `try`. */
  readonly onMissing: (missing: MissingImport) => void;
}

/**
 * Decides what an import of a package means: `fulcrum` and `fulcrum/outbox` are always our own; packages with native code stay outside the bundle;
 * everything else goes in.
 */
export function importsPlugin(o: ImportsOptions): Plugin {
  // What is known of packages holds for one run: one may be installed anew before the next.
  const isNative = memo(isNativePackage);
  const packageOf = memo(packageDirectoryOf);
  return {
    name: 'fulcrum:imports',
    resolveId: {
      filter: { id: BARE },
      async handler(specifier, importer, extra) {
        if (specifier === 'fulcrum') return { id: o.sdkPath };
        if (specifier === 'fulcrum/outbox') return { id: outboxPath(o.sdkPath) };
        if (importer === undefined || isBuiltin(specifier)) return null;
        const resolved = await this.resolve(specifier, importer, { kind: extra.kind, skipSelf: true });
        if (resolved === null) {
          // The bundler leaves it to run time, with a warning. That is right for what a dependency only tries to load.
          const isTry =
            extra.kind === 'require-call' || (extra.kind === 'dynamic-import' && isInNodeModules(importer));
          if (!isTry) o.onMissing({ specifier, importer });
          return null;
        }
        if (resolved.external !== false) return resolved;
        const directory = packageOf(dirname(resolved.id));
        if (directory === null || directory === packageOf(dirname(importer)) || !isNative(directory))
          return resolved;
        const name = nameOf(specifier, directory, o.bundleDirectory);
        o.onOutside({ name, directory, withDependencies: true });
        if (name !== null) return { id: specifier, external: true };
        const file = o.inRelease === null ? resolved.id : o.inRelease(resolved.id);
        return { id: toPosix(relative(o.bundleDirectory, file)), external: true };
      },
    },
  };
}

/** Beside the sdk, and of the same build: what it publishes by is looked at by the same rules. */
function outboxPath(sdkPath: string): string {
  return join(dirname(dirname(sdkPath)), 'outbox', basename(sdkPath));
}

/** Loads `.node` files, which a bundle cannot hold, from where they lie. */
export function addonsPlugin(): Plugin {
  return {
    name: 'fulcrum:addons',
    load: {
      filter: { id: /\.node$/ },
      handler: () => ({
        code: "module.exports = process.getBuiltinModule('node:module').createRequire(__filename)(__filename);",
        moduleType: 'js',
      }),
    },
  };
}

function memo<T>(ask: (path: string) => T): (path: string) => T {
  const known = new Map<string, T>();
  return (path) => {
    if (!known.has(path)) known.set(path, ask(path));
    return known.get(path)!;
  };
}

export function isInNodeModules(file: string): boolean {
  return file.includes(`${sep}node_modules${sep}`);
}

/**
 * How the bundle names a package outside: as the author did, where that leads to the same package from the bundle. Null: by its path.
 */
function nameOf(specifier: string, packageDirectory: string, bundleDirectory: string): string | null {
  const name = readManifest(packageDirectory)?.name;
  if (typeof name !== 'string' || !(specifier === name || specifier.startsWith(`${name}/`))) return null;
  return lookUp(name, bundleDirectory) === packageDirectory ? name : null;
}

/** The real directory of the package that Node finds for `name` from `directory`; null where it finds none. */
function lookUp(name: string, directory: string): string | null {
  for (let at = directory; ; at = dirname(at)) {
    try {
      return realpathSync(join(at, 'node_modules', name));
    } catch {
      if (at === dirname(at)) return null;
    }
  }
}

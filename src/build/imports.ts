import { realpathSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';

import type { Plugin } from 'rolldown';

import type { MissingImport } from './missing-import.ts';
import { toPosix } from './module-paths.ts';
import { isNativePackage, packageDirectoryOf, readManifest } from './native-package.ts';

/** A specifier that is neither a path, nor a virtual module, nor one of Node's own with its prefix. */
const BARE = /^(?![./\\\0]|node:|data:|file:|[A-Za-z]:[/\\])/;

interface ImportsOptions {
  readonly sdkPath: string;
  /** Any directory as deep as the one that the bundle will lie in. */
  readonly bundleDirectory: string;
  /** Called for an import of a package that cannot be found and must be. Not for a `require`, which may stand in a `try`. */
  readonly onMissing: (missing: MissingImport) => void;
}

/**
 * Decides what an import of a package means: `fulcrum` is always our sdk; packages with native code stay outside the bundle;
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
        return { id: outsideName(specifier, resolved.id, directory, o.bundleDirectory), external: true };
      },
    },
  };
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

/** How the bundle names a package outside: as the author did, where that leads to the same package from the bundle; else by path. */
function outsideName(
  specifier: string,
  file: string,
  packageDirectory: string,
  bundleDirectory: string,
): string {
  const name = readManifest(packageDirectory)?.name;
  if (typeof name === 'string' && (specifier === name || specifier.startsWith(`${name}/`))) {
    if (lookUp(name, bundleDirectory) === packageDirectory) return specifier;
  }
  return toPosix(relative(bundleDirectory, file));
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

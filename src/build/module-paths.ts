import { posix, relative, sep } from 'node:path';

import type { Plugin } from 'rolldown';
import type * as Utils from 'rolldown/utils';

import { OWN_PATHS } from './dynamic-imports.ts';

/**
 * Bundled modules still find what lies beside their source: every `import.meta`, `__dirname`, `__filename` and
 * `require.resolve` is replaced by an expression that gives the module's own original path, resolved at run time against the files
 * root. The runtime's child sets that root before it imports a bundle; without it the app directory is found relative to the bundle.
 */
export const FILES_ROOT = Symbol.for('fulcrum.files-root');

/** Declared at the top of each chunk that needs it; free in the modules, so the bundler gives the name to nothing else. */
const LOOKUP = '__fulcrum_module__';

/** Not the bundler's own virtual modules: theirs is the path of the bundle. */
const MODULES = /^[^\0].*\.(?:[cm]?[jt]sx?|node)$/;
const MENTIONS =
  /\bimport\s*\.\s*meta\b|\b__(?:dir|file)name\b|\brequire\s*\.\s*resolve\b|__fulcrum_own_paths__/;

const FINDS_PACKAGES = /\brequire\s*\.\s*resolve\b|\bcreateRequire\b|\bimport\s*\.\s*meta\s*\.\s*resolve\b/;

/** The bundler's own compiler, loaded lazily with it. */
type Compiler = Pick<typeof Utils, 'transformSync' | 'TsconfigCache'>;

/** A module that asks for its own path, and perhaps for other packages by it. */
export interface OwnPathUse {
  readonly id: string;
  readonly findsPackages: boolean;
}

interface ModulePathsOptions {
  /** What paths are kept relative to. */
  readonly filesRoot: string;
  /** Any directory as deep as the one that the bundle will lie in. */
  readonly bundleDirectory: string;
  /** What modules above the app's folder are called by, see `PipelineOptions`. */
  readonly inRelease: ((path: string) => string) | null;
  readonly onUse: (use: OwnPathUse) => void;
}

export function modulePathsPlugin(compiler: Compiler, o: ModulePathsOptions): Plugin {
  const { filesRoot, bundleDirectory } = o;
  const rewritten = new Set<string>();
  const tsconfigs = new compiler.TsconfigCache();
  return {
    name: 'fulcrum:module-paths',
    transform: {
      filter: { id: MODULES, code: MENTIONS },
      handler(code, id) {
        const path = o.inRelease === null ? id : o.inRelease(id);
        const lookup = `${LOOKUP}(${JSON.stringify(toPosix(relative(filesRoot, path)))})`;
        // The compiler's `define` knows scopes: a `__dirname` that the module declares itself is left alone.
        const result = compiler.transformSync(
          id,
          code,
          {
            sourcemap: true,
            ...(id.endsWith('.node') ? { lang: 'js' as const } : {}),
            sourceType: sourceTypeOf(id),
            // What is published is compiled; and a package's tsconfig, left inside by mistake, is not the app's.
            tsconfig: !id.includes(`${sep}node_modules${sep}`),
            define: {
              [OWN_PATHS]: lookup,
              'import.meta': lookup,
              __dirname: `${lookup}.dirname`,
              __filename: `${lookup}.filename`,
              'require.resolve': `${lookup}.require.resolve`,
            },
          },
          tsconfigs,
        );
        // The bundler meets the same error in the source itself, and tells it with the right place.
        if (result.errors.length > 0) return null;
        rewritten.add(id);
        o.onUse({ id, findsPackages: FINDS_PACKAGES.test(code) });
        return { code: result.code, map: result.map ?? null, moduleType: 'js' };
      },
    },
    outputOptions(options) {
      const prelude = preludeFor(toPosix(relative(bundleDirectory, filesRoot)) || '.');
      return {
        ...options,
        intro: (chunk) => (chunk.moduleIds.some((id) => rewritten.has(id)) ? prelude : ''),
      };
    },
  };
}

function sourceTypeOf(id: string): 'module' | 'commonjs' | 'unambiguous' {
  if (/\.m[jt]s$/.test(id)) return 'module';
  return /\.(?:c[jt]s|node)$/.test(id) ? 'commonjs' : 'unambiguous';
}

/**
 * What `import.meta` becomes. `getBuiltinModule` and not `import`: it works the same whatever the chunk imports, and costs nothing.
 * `main` is false: a component is always imported.
 */
function preludeFor(rootFromBundle: string): string {
  return [
    `const ${LOOKUP} = /* @__PURE__ */ ((own) => {`,
    `const { dirname, resolve } = process.getBuiltinModule('node:path');`,
    `const { pathToFileURL } = process.getBuiltinModule('node:url');`,
    `const root = globalThis[Symbol.for('fulcrum.files-root')] ?? resolve(own.dirname, ${JSON.stringify(rootFromBundle)});`,
    `const known = new Map();`,
    `return (path) => {`,
    `let meta = known.get(path);`,
    `if (meta !== undefined) return meta;`,
    `const filename = resolve(root, path), url = pathToFileURL(filename).href;`,
    `let require;`,
    `meta = { url, filename, dirname: dirname(filename), main: false,`,
    `resolve: (name) => /^\\.{0,2}\\//.test(name) ? new URL(name, url).href : own.resolve(name) };`,
    // Not the author's to see: what computed names and `require.resolve` are resolved by.
    `Object.defineProperty(meta, 'specifier', { value: (name) => /^\\.{0,2}\\//.test(name) ? new URL(name, url).href : name });`,
    `Object.defineProperty(meta, 'require', { get: () => require ??= process.getBuiltinModule('node:module').createRequire(filename) });`,
    `known.set(path, meta);`,
    `return meta;`,
    `};`,
    `})(import.meta);`,
  ].join(' ');
}

export function toPosix(path: string): string {
  return sep === posix.sep ? path : path.replaceAll(sep, posix.sep);
}

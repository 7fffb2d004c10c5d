import { dirname, join, relative, resolve, sep } from 'node:path';

import type { OutputAsset, OutputChunk } from 'rolldown';

import type { FulcrumError } from '../base/errors.ts';
import { buildError, findingOf, type BundlerLog } from './build-error.ts';
import { decoratorsPlugin } from './decorators.ts';
import { dynamicImportsPlugin } from './dynamic-imports.ts';
import { addonsPlugin, importsPlugin, isInNodeModules, type PackageBeside } from './imports.ts';
import { candidatesFor, findImport, type MissingImport } from './missing-import.ts';
import { modulePathsPlugin, toPosix, type OwnPathUse } from './module-paths.ts';
import { packageDirectoryOf } from './native-package.ts';
import { preservedJsxPlugin } from './preserved-jsx.ts';
import { influencesOf } from './sources.ts';
import { isTypeOnly } from './type-exports.ts';

interface PipelineOptions {
  readonly entry: string;
  /** What paths in the bundle are kept relative to, so that it does not depend on where the app lies. */
  readonly appDirectory: string;
  /** The folder that will hold the bundle's own folder. */
  readonly outDirectory: string;
  readonly sdkPath: string;
  /**
   * For a release, of which nothing may lie above the app's folder: what a workspace has there in its `node_modules` is called as if
   * it lay in the app's own, where it will.
   */
  readonly forRelease?: boolean;
}

export interface BundleFile {
  readonly name: string;
  readonly content: string | Uint8Array;
}

interface PipelineResult {
  /** `index.mjs`, its chunks, and a `.map` for each; sorted by name. */
  readonly files: readonly BundleFile[];
  readonly sources: readonly string[];
  /** Packages outside the bundle, and those inside that have files beside their code; each once for every reason. */
  readonly packages: readonly PackageBeside[];
  /** Modules outside the app's folder, of no package that is installed, that ask for their own path. */
  readonly strays: readonly string[];
}

/**
 * The one pipeline, for `dev`, deploys and the config: TypeScript and JavaScript in, one ES module for Node 26 out, with the
 * chunks of its dynamic imports. Writes nothing.
 * @throws FulcrumError `build-failed` with {@link BuildErrorDetails}.
 */
export async function runPipeline(o: PipelineOptions): Promise<PipelineResult> {
  const first = await attempt(o, false);
  if (first.result !== null) return first.result;
  // TypeScript allows `export { SomeType } from './types.ts'`; the bundler, which sees one file at a time, cannot know that it is a
  // type. Where that is all that is wrong, the names are left empty.
  if (!(await isTypeOnly(first.logs))) throw first.error;
  const second = await attempt(o, true);
  if (second.result !== null) return second.result;
  throw second.error;
}

type Attempt =
  | { readonly result: PipelineResult }
  | { readonly result: null; readonly logs: readonly BundlerLog[]; readonly error: FulcrumError };

async function attempt(o: PipelineOptions, allowMissingExports: boolean): Promise<Attempt> {
  // The bundler costs some 50 ms to load, which no other command should pay.
  const [{ rolldown }, compiler] = await Promise.all([import('rolldown'), import('rolldown/utils')]);
  const bundleDirectory = join(o.outDirectory, 'bundle');
  const missing: MissingImport[] = [];
  const outside: PackageBeside[] = [];
  const uses: OwnPathUse[] = [];
  const inRelease = o.forRelease === true ? (path: string) => placeInRelease(path, o.appDirectory) : null;
  const complaints: BundlerLog[] = [];
  const build = await rolldown({
    input: { index: o.entry },
    cwd: o.appDirectory,
    platform: 'node',
    tsconfig: true,
    shimMissingExports: allowMissingExports,
    // Comments that name each module's path, beginning at the app: where Fulcrum lies on this machine would be part of the digest.
    ...(inRelease === null ? {} : { experimental: { attachDebugInfo: 'none' as const } }),
    logLevel: 'warn',
    onLog: (_level, log) => {
      if (log.code !== 'UNRESOLVED_IMPORT' || log.id === undefined) return;
      // The bundler only warns of a package that it cannot find. A dependency may do without one that it requires.
      const isNeeded = missing.some((found) => found.importer === log.id && found.specifier === log.exporter);
      if (isNeeded || !isInNodeModules(log.id)) complaints.push(log);
    },
    plugins: [
      importsPlugin({
        sdkPath: o.sdkPath,
        bundleDirectory,
        inRelease,
        onMissing: (found) => missing.push(found),
        onOutside: (found) => outside.push(found),
      }),
      addonsPlugin(),
      decoratorsPlugin(),
      preservedJsxPlugin(),
      dynamicImportsPlugin(),
      modulePathsPlugin(compiler, {
        filesRoot: o.appDirectory,
        bundleDirectory,
        inRelease,
        onUse: (use) => uses.push(use),
      }),
    ],
  });
  try {
    const { output } = await build.generate({
      dir: bundleDirectory,
      format: 'es',
      entryFileNames: '[name].mjs',
      chunkFileNames: '[name]-[hash].mjs',
      sourcemap: true,
      // The sources lie beside the bundle; Node reads the map when it loads the module, so it had better be small.
      sourcemapExcludeSources: true,
      ...(inRelease === null ? {} : { sourcemapPathTransform: sourcesInRelease(o, inRelease) }),
      keepNames: true,
    });
    if (complaints.length > 0) return failed(complaints, []);
    return {
      result: {
        files: output.map(fileOf).sort(byName),
        sources: await influencesOf(await build.watchFiles, o),
        packages: [...outside, ...packagesOf(uses)],
        strays: uses.filter(({ id }) => isStray(id, o.appDirectory)).map(({ id }) => id),
      },
    };
  } catch (error) {
    const errors = (error as { errors?: readonly BundlerLog[] }).errors ?? [error as BundlerLog];
    return failed([...errors, ...complaints], missing, error);
  } finally {
    await build.close();
  }

  async function failed(
    logs: readonly BundlerLog[],
    unlisted: readonly MissingImport[],
    cause?: unknown,
  ): Promise<Attempt> {
    const unresolved = logs
      .filter((log) => log.code === 'UNRESOLVED_IMPORT' && log.id !== undefined && log.exporter !== undefined)
      .map((log) => ({ importer: log.id!, specifier: log.exporter! }));
    const others = unlisted.filter(
      ({ importer, specifier }) =>
        !unresolved.some((known) => known.importer === importer && known.specifier === specifier),
    );
    const findings = [...logs.map(findingOf), ...(await Promise.all(others.map(findImport)))];
    const wanted = [...unresolved, ...others].flatMap(candidatesFor);
    const sources = [...(await influencesOf([o.entry, ...(await build.watchFiles)], o)), ...wanted];
    return {
      result: null,
      logs,
      error: buildError(findings, { appDirectory: o.appDirectory, sources, cause }),
    };
  }
}

/** Packages in the bundle whose code asks where it lies: to read a file that lies beside it, most likely. */
function packagesOf(uses: readonly OwnPathUse[]): PackageBeside[] {
  return uses.flatMap(({ id, findsPackages }) => {
    const directory = isInNodeModules(id) ? packageDirectoryOf(dirname(id)) : null;
    return directory === null ? [] : [{ name: null, directory, withDependencies: findsPackages }];
  });
}

function isStray(id: string, appDirectory: string): boolean {
  return !isInNodeModules(id) && relative(appDirectory, id).startsWith('..');
}

/** Where `path` will lie, absolute, as if the app stayed where it is. */
function placeInRelease(path: string, appDirectory: string): string {
  const fromApp = relative(appDirectory, path);
  if (!fromApp.startsWith('..')) return path;
  const at = path.indexOf(`${sep}node_modules${sep}`);
  return at === -1 ? path : join(appDirectory, path.slice(at + 1));
}

/** What a deployed bundle's map calls its sources: nothing in it depends on this machine's folders. */
function sourcesInRelease(
  o: PipelineOptions,
  inRelease: (path: string) => string,
): (source: string, mapPath: string) => string {
  // The sdk with what it imports; as if it were a package of the app.
  const own = dirname(dirname(o.sdkPath));
  return (source, mapPath) => {
    const path = resolve(dirname(mapPath), source);
    const fromOwn = relative(own, path);
    const placed = fromOwn.startsWith('..')
      ? inRelease(path)
      : join(o.appDirectory, 'node_modules', 'fulcrum', fromOwn);
    return toPosix(relative(dirname(mapPath), placed));
  };
}

function fileOf(file: OutputChunk | OutputAsset): BundleFile {
  return { name: file.fileName, content: file.type === 'chunk' ? file.code : file.source };
}

function byName(a: BundleFile, b: BundleFile): number {
  return a.name < b.name ? -1 : 1;
}

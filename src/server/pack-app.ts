import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { FulcrumError } from '../base/errors.ts';
import type { Platform } from '../base/platform.ts';
import { Builder, type BuiltBundle } from '../build/builder.ts';
import { evaluateConfig } from '../build/evaluate-config.ts';
import { readDotEnv } from '../config/dot-env.ts';
import { loadApp } from '../config/load.ts';
import type { AppSpec, ComponentSpec } from '../model/app.ts';
import type { ReleaseBundle, ReleaseManifest } from '../model/release.ts';
import { bundleOf } from '../release/bundle-digest.ts';
import { checkManifest } from '../release/manifest.ts';
import { collectFiles, type Collected } from '../release/packing/collect-files.ts';
import { hashFiles, type BlobSource } from '../release/packing/hash-files.ts';
import { refuseMismatches } from '../release/packing/native-packages.ts';
import { refuseExcess, refuseProblems } from '../release/packing/pack-refusal.ts';
import type { PackageNeed } from '../release/packing/package-tree.ts';
import { plainConfig, refuseSecretValues } from '../release/packing/plain-config.ts';
import { isWithin } from '../release/packing/walk-folder.ts';
import { BUNDLES_FOLDER } from '../release/release-path.ts';
import { treeProblems } from '../release/tree-problems.ts';
import { sdkPath } from './places.ts';

export interface PackOptions {
  readonly directory: string;
  readonly environment: string;
  /** Of Fulcrum, as it stands in the manifest. */
  readonly version: string;
}

/** An app of which the config has been read. */
export interface ReadApp {
  readonly app: AppSpec;
  /** As JSON. */
  readonly config: unknown;
  /** Without links. */
  readonly directory: string;
}

/** An app as it is to be sent. */
export interface PackedApp {
  readonly manifest: ReleaseManifest;
  /** By digest: where its bytes are. */
  readonly sources: ReadonlyMap<string, BlobSource>;
  /** Worth telling whoever deploys, a line each. */
  readonly notes: readonly string[];
}

const MOST_PROBLEMS = 20;

/**
 * Evaluates and validates the config of an app that is to be deployed.
 * @throws FulcrumError `not-found`, `build-failed`, `config-invalid`, or `package-failed` where a path leads out of the app's folder or
 * the value of a secret stands in the config.
 */
export async function readApp(o: PackOptions): Promise<ReadApp> {
  let directory: string;
  try {
    directory = realpathSync(o.directory);
  } catch {
    throw new FulcrumError('not-found', `There is no folder ${o.directory}.`);
  }
  let config: unknown;
  const app = await loadApp({
    directory,
    environment: o.environment,
    evaluate: async (configPath, environment) => {
      const evaluated = await evaluateConfig(configPath, {
        environment,
        sdkPath: sdkPath(),
        appDirectory: directory,
      });
      // What is validated here is what the server will see.
      config = plainConfig(evaluated.config, directory);
      return config;
    },
  });
  refuseSecretValues(config, await readDotEnv(directory));
  refuseProblems([...app.components.values()].flatMap((spec) => outsidePaths(spec, directory)));
  return { app, config, directory };
}

/**
 * Builds an app and gathers what goes along.
 * @param platform the server's; null where it is not known.
 * @throws FulcrumError `build-failed`, `package-failed`, `platform-mismatch`.
 */
export async function packApp(read: ReadApp, o: PackOptions, platform: Platform | null): Promise<PackedApp> {
  const { app, directory } = read;
  const built = await build(app, directory);
  const specs = [...app.components.values()];
  const collected = await collectFiles({
    directory,
    platform,
    storage: specs.flatMap((spec) => (spec.kind === 'static' ? [] : spec.storage)),
    commands: specs.filter((spec) => spec.kind === 'command'),
    folders: specs.filter((spec) => spec.kind === 'static').map((spec) => spec.directory),
    needs: [...built.values()].flatMap((bundle) => needsOf(bundle, directory)),
    bundles: [...built.values()].map(({ path }) => dirname(path)),
  });
  refuseProblems([...collected.problems, ...absent(specs, collected, directory)]);
  if (platform !== null) refuseMismatches(collected.mismatches, platform);
  refuseExcess(collected.files);

  const { files, sources, problems } = await hashFiles(collected.files);
  refuseProblems([
    ...problems,
    ...treeProblems(files, MOST_PROBLEMS).map(({ index, message }) => ({
      path: files[index]!.path,
      message,
    })),
  ]);
  const manifest = checkManifest({
    format: 1,
    app: app.name,
    environment: o.environment,
    fulcrum: o.version,
    platform: collected.isNative ? platform : null,
    config: read.config,
    bundles: Object.fromEntries(
      [...built].map(([name, bundle]): [string, ReleaseBundle] => [
        name,
        bundleOf(relative(directory, bundle.path), files),
      ]),
    ),
    files,
  });
  return { manifest, sources, notes: [...collected.notes, ...strayNotes(built, directory)] };
}

async function build(app: AppSpec, directory: string): Promise<Map<string, BuiltBundle>> {
  const builder = new Builder({
    appDirectory: directory,
    outDirectory: join(directory, BUNDLES_FOLDER),
    sdkPath: sdkPath(),
    forRelease: true,
  });
  try {
    const modules = [...app.components.values()].filter((spec) => spec.kind === 'module');
    const built = await Promise.all(
      modules.map(async (spec) => [spec.name, await builder.bundle(spec)] as const),
    );
    await builder.prune(new Set(built.map(([, { path }]) => path)));
    return new Map(built);
  } finally {
    await builder.close();
  }
}

function needsOf(bundle: BuiltBundle, directory: string): PackageNeed[] {
  return bundle.packages.map(({ name, directory: found, withDependencies }) =>
    name === null
      ? { kind: 'folder', directory: found, withDependencies }
      : { kind: 'name', name, from: directory, isOptional: false, by: 'a module' },
  );
}

/** Paths of a component that do not lie in the app's folder, which is all that a server gets. */
function outsidePaths(spec: ComponentSpec, directory: string): { path: string; message: string }[] {
  const [key, path] = pathOf(spec);
  const real = existsSync(path) ? realpathSync(path) : path;
  if (isWithin(directory, path) && isWithin(directory, real)) return [];
  return [
    {
      path: `components.${spec.name}.${key}`,
      message: `lies outside the app's folder (${real}), which alone is deployed`,
    },
  ];
}

/** What the config names, and no rule lets along. */
function absent(
  specs: readonly ComponentSpec[],
  { files }: Collected,
  directory: string,
): { path: string; message: string }[] {
  return specs.flatMap((spec) => {
    const [key, absolute] = pathOf(spec);
    const path = relative(directory, absolute);
    const isThere = files.some(
      (file) => path === '' || file.path === path || file.path.startsWith(`${path}/`),
    );
    if (isThere) return [];
    const what = key === 'entry' ? 'is not among the files that go along' : 'has no file that goes along';
    return [
      {
        path: `components.${spec.name}.${key}`,
        message: `('${path}') ${what}: it is empty, ignored, or storage`,
      },
    ];
  });
}

function pathOf(spec: ComponentSpec): readonly ['entry' | 'cwd' | 'static', string] {
  if (spec.kind === 'module') return ['entry', spec.entry];
  return spec.kind === 'command' ? ['cwd', spec.cwd] : ['static', spec.directory];
}

function strayNotes(built: ReadonlyMap<string, BuiltBundle>, directory: string): string[] {
  const strays = new Set([...built.values()].flatMap((bundle) => bundle.strays));
  return [...strays].map(
    (path) =>
      `${relative(directory, path)} asks for its own path and lies outside the app's folder: files beside it stay behind.`,
  );
}

import { createHash } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { appId } from '../base/app-id.ts';
import { FulcrumError } from '../base/errors.ts';
import { hostPlatform, platformName } from '../base/platform.ts';
import { waypoints } from '../base/waypoints.ts';
import { commandRevision, moduleRevision } from '../build/revision.ts';
import { resolveValues } from '../config/env.ts';
import { readDraft } from '../config/draft.ts';
import { loadApp } from '../config/load.ts';
import { storagePaths } from '../config/storage-paths.ts';
import type { AppSpec, ModuleSpec } from '../model/app.ts';
import type { ReleaseFile, ReleaseManifest } from '../model/release.ts';
import type { Bundle, Revision } from '../model/revision.ts';
import { runnableOf } from '../model/units.ts';
import { fits } from '../release/packing/native-code.ts';
import { isWithin } from '../release/packing/walk-folder.ts';
import { BUNDLES_FOLDER } from '../release/release-path.ts';
import { revisionsOf, type Prepared } from './prepare.ts';
import { secretAdvice } from './release-secrets.ts';

export interface PreparedReleaseOptions {
  /** Has been checked (`checkManifest`). */
  readonly manifest: ReleaseManifest;
  /** The release's tree, in its place (`placeReleaseTree`). */
  readonly directory: string;
  readonly storageDirectory: string;
  /** The app's, opened. */
  readonly secrets: ReadonlyMap<string, string>;
}

/**
 * An app that is ready to be deployed, from a release's data and tree alone: nothing is evaluated or built.
 * @throws FulcrumError `config-invalid`, `manifest-invalid` (a module without a bundle, a path out of the tree), `platform-mismatch` or
 * `secret-missing`; none names a path of this machine.
 */
export async function preparedRelease(o: PreparedReleaseOptions): Promise<Prepared> {
  const { manifest, directory } = o;
  refuseForeign(manifest);
  await refuseOutside(o);
  const app = await load(o);
  const { env, eventToken } = resolveValues(app, {
    secrets: o.secrets,
    advice: secretAdvice(appId(manifest.app, manifest.environment)),
  });
  const sources = await bundledSources(o);
  const own = manifest.files.filter((file) => !file.path.startsWith(`${BUNDLES_FOLDER}/`));
  const bundled = new Set([...sources.values()].flat());
  // A module finds data beside it; of code, what is in bundles counts by those. A command may run anything.
  const moduleFiles = filesDigest(own.filter((file) => !bundled.has(file.path)));
  const commandFiles = filesDigest(own);
  const revisions = runnableOf(app).map((spec): Revision => {
    const values = env.get(spec.name) ?? {};
    if (spec.kind === 'command') return commandRevision(spec, values, directory, commandFiles);
    return moduleRevision(spec, values, bundleFor(spec, o, sources.get(spec.name) ?? []), moduleFiles);
  });
  return {
    app,
    env,
    eventToken,
    revisions: revisionsOf(app, revisions),
    configSources: new Set(),
  };
}

/** What was packed for another platform would fail when its native code is loaded. */
function refuseForeign({ platform }: ReleaseManifest): void {
  const own = hostPlatform();
  if (platform === null || fits(platform, own)) return;
  throw new FulcrumError(
    'platform-mismatch',
    `The release has native code for ${platformName(platform)}, and this server is ${platformName(own)}. Deploy again: it is checked against the server.`,
    { details: { platform: own } },
  );
}

/**
 * Nothing that a config names may lie elsewhere on this machine, wherever links lead, nor in what components store: they could put links
 * there. Before the config is looked at otherwise, for what is wrong with it is told with the names of what lies around.
 */
async function refuseOutside({ manifest, directory }: PreparedReleaseOptions): Promise<void> {
  const tree = await realpath(directory);
  const stored = storagePaths(manifest.config).map((path) => join(tree, path));
  for (const { name, values } of readDraft(manifest.config).components) {
    const named = {
      entry: 'entry' in values ? values.entry : undefined,
      cwd: 'cwd' in values ? values.cwd : undefined,
      static: 'static' in values ? values.static : undefined,
    };
    for (const [key, value] of Object.entries(named)) {
      if (value === undefined) continue;
      const path = resolve(directory, value);
      const where = `components.${name}.${key} in the config lies`;
      if (!isWithin(directory, path)) throw invalid(`${where} outside the app's folder.`);
      const passed = await waypoints(path);
      const meets = (storage: string): boolean =>
        passed.some((place) => isWithin(storage, place)) ||
        (key === 'static' && isWithin(passed.at(-1)!, storage));
      const storage = stored.find(meets);
      if (storage !== undefined) {
        throw invalid(
          `${where} at what a component stores ('${relative(tree, storage)}'), which a server neither runs nor serves as files. Let a component serve it.`,
        );
      }
      if (!passed.every((place) => isWithin(tree, place) || isWithin(place, tree)))
        throw invalid(`${where} outside the app's folder.`);
    }
  }
}

function invalid(message: string): FulcrumError {
  return new FulcrumError('manifest-invalid', message);
}

async function load({ manifest, directory, storageDirectory }: PreparedReleaseOptions): Promise<AppSpec> {
  try {
    return await loadApp({
      directory,
      environment: manifest.environment,
      evaluate: () => Promise.resolve(manifest.config),
      storageDirectory,
    });
  } catch (error) {
    if (!(error instanceof FulcrumError)) throw error;
    // Where the tree lies here is nobody's business who deploys.
    const hidden = (text: string): string =>
      text.replaceAll(`${directory}/`, '').replaceAll(directory, manifest.app);
    const { file } = error.details;
    throw new FulcrumError(error.code, hidden(error.message), {
      cause: error,
      details: { ...error.details, ...(typeof file === 'string' ? { file: hidden(file) } : {}) },
    });
  }
}

function bundleFor(spec: ModuleSpec, o: PreparedReleaseOptions, sources: readonly string[]): Bundle {
  const bundles: ReadonlyMap<string, ReleaseManifest['bundles'][string]> = new Map(
    Object.entries(o.manifest.bundles),
  );
  const bundle = bundles.get(spec.name);
  if (bundle === undefined) {
    throw invalid(`The config has the module '${spec.name}', and the manifest no bundle of it.`);
  }
  return {
    ...bundle,
    path: join(o.directory, bundle.path),
    filesRoot: o.directory,
    sources: sources.map((source) => join(o.directory, source)),
  };
}

/** By component: which of the release's files are in its bundle, as the source maps beside it tell. */
async function bundledSources({
  manifest,
  directory,
}: PreparedReleaseOptions): Promise<Map<string, string[]>> {
  const known = new Set(manifest.files.map(({ path }) => path));
  const maps = new Map<string, string[]>();
  for (const { path } of manifest.files) {
    if (!path.startsWith(`${BUNDLES_FOLDER}/`) || !path.endsWith('.map')) continue;
    const folder = dirname(path);
    const others = maps.get(folder);
    if (others === undefined) maps.set(folder, [path]);
    else others.push(path);
  }
  const found = new Map<string, string[]>();
  for (const [component, { path }] of Object.entries(manifest.bundles)) {
    const folder = dirname(path);
    const paths = new Set<string>();
    for (const map of maps.get(folder) ?? [])
      for (const source of await sourcesOf(join(directory, map))) paths.add(posix.join(folder, source));
    found.set(component, [...paths].filter((source) => known.has(source)).sort());
  }
  return found;
}

async function sourcesOf(mapPath: string): Promise<string[]> {
  try {
    const { sources } = JSON.parse(await readFile(mapPath, 'utf8')) as { sources?: unknown };
    return Array.isArray(sources) ? sources.filter((source) => typeof source === 'string') : [];
  } catch {
    // Without it the files count as data: a change of one is a new revision.
    return [];
  }
}

function filesDigest(files: readonly ReleaseFile[]): string {
  const hash = createHash('sha256');
  const lines = files.map((file) =>
    file.kind === 'link'
      ? `${file.path}\0link\0${file.target}\n`
      : `${file.path}\0${file.executable ? 'program' : 'file'}\0${file.digest}\n`,
  );
  for (const line of lines.sort()) hash.update(line);
  return hash.digest('hex');
}

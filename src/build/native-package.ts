import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The parts of a package.json that tell of native code. */
interface PackageManifest {
  readonly name?: unknown;
  readonly main?: unknown;
  readonly gypfile?: unknown;
  readonly binary?: unknown;
  readonly napi?: unknown;
  readonly dependencies?: unknown;
  readonly optionalDependencies?: unknown;
}

/** Packages whose one purpose is to find and load a package's own addon. */
const LOADERS = [
  'bindings',
  'node-gyp-build',
  'node-gyp-build-optional-packages',
  'node-pre-gyp',
  '@mapbox/node-pre-gyp',
  'prebuild-install',
  'pkg-prebuilds',
];
const PLATFORM = /(?:^|[-_/])(?:linux|darwin|win32|windows|android|freebsd)(?:$|[-_])/;
/** Where built addons are put, by convention. */
const ADDON_FOLDERS = ['', 'build/Release', 'lib', 'dist'];

/** The nearest folder at or above `folder` that has a package.json with a name; null where there is none. */
export function packageDirectoryOf(folder: string): string | null {
  for (let directory = folder; ; directory = dirname(directory)) {
    // A package.json without a name only sets `type` for a folder of a package.
    if (typeof readManifest(directory)?.name === 'string') return directory;
    if (directory === dirname(directory)) return null;
  }
}

/** The package.json in `directory`; null where there is none that can be read. */
export function readManifest(directory: string): PackageManifest | null {
  try {
    return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as PackageManifest;
  } catch {
    return null;
  }
}

/**
 * Whether the package in `directory` loads native code, which a bundle cannot hold: it has a `.node` file, is built by
 * node-gyp, brings prebuilds, uses a known loader, or has one package per platform.
 */
export function isNativePackage(directory: string): boolean {
  const manifest = readManifest(directory) ?? {};
  if (manifest.gypfile === true || isObject(manifest.binary) || isObject(manifest.napi)) return true;
  if (typeof manifest.main === 'string' && manifest.main.endsWith('.node')) return true;
  if (LOADERS.some((name) => isObject(manifest.dependencies) && name in manifest.dependencies)) return true;
  if (
    isObject(manifest.optionalDependencies) &&
    Object.keys(manifest.optionalDependencies).some((name) => PLATFORM.test(name))
  )
    return true;
  if (existsSync(join(directory, 'binding.gyp')) || existsSync(join(directory, 'prebuilds'))) return true;
  return ADDON_FOLDERS.some((folder) => hasAddon(join(directory, folder)));
}

function hasAddon(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => name.endsWith('.node'));
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The parts of a package.json that packing asks for. All may be anything: others wrote them. */
export interface PackageJson {
  readonly name: string | null;
  readonly version: string | null;
  readonly dependencies: readonly string[];
  readonly optionalDependencies: readonly string[];
  readonly peerDependencies: readonly string[];
  readonly devDependencies: readonly string[];
  /** Whether it says anything of dependencies. */
  readonly listsDependencies: boolean;
  readonly os: readonly string[];
  readonly cpu: readonly string[];
  readonly libc: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
  /** Names of the programs that it brings. */
  readonly bins: readonly string[];
}

/** Null where there is none, or none that is JSON. */
export function readPackageJson(directory: string): PackageJson | null {
  let raw: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    if (!isRecord(parsed)) return null;
    raw = parsed;
  } catch {
    return null;
  }
  const name = typeof raw['name'] === 'string' ? raw['name'] : null;
  const optional = keysOf(raw['optionalDependencies']);
  return {
    name,
    version: typeof raw['version'] === 'string' ? raw['version'] : null,
    // npm writes optional ones into both.
    dependencies: keysOf(raw['dependencies']).filter((key) => !optional.includes(key)),
    optionalDependencies: optional,
    peerDependencies: keysOf(raw['peerDependencies']),
    devDependencies: keysOf(raw['devDependencies']),
    listsDependencies: ['dependencies', 'optionalDependencies', 'devDependencies'].some((key) =>
      isRecord(raw[key]),
    ),
    os: words(raw['os']),
    cpu: words(raw['cpu']),
    libc: words(raw['libc']),
    scripts: isRecord(raw['scripts'])
      ? Object.fromEntries(
          Object.entries(raw['scripts']).filter(
            (pair): pair is [string, string] => typeof pair[1] === 'string',
          ),
        )
      : {},
    bins: binsOf(raw['bin'], name),
  };
}

function binsOf(bin: unknown, name: string | null): string[] {
  if (typeof bin === 'string') return name === null ? [] : [name.slice(name.lastIndexOf('/') + 1)];
  return keysOf(bin);
}

function keysOf(value: unknown): string[] {
  return isRecord(value) ? Object.keys(value).filter(isPackageName) : [];
}

/** A name from a file that others wrote becomes part of a path. */
function isPackageName(name: string): boolean {
  return (
    /^(?:@[\w.~-]+\/)?[\w.~-]+$/.test(name) && !name.split('/').some((part) => part === '.' || part === '..')
  );
}

function words(value: unknown): string[] {
  const list = typeof value === 'string' ? [value] : Array.isArray(value) ? value : [];
  return list.filter((each) => typeof each === 'string');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { open, readFile } from 'node:fs/promises';
import { FulcrumError } from '../../base/errors.ts';
import { platformName, type Platform } from '../../base/platform.ts';
import type { FoundFile } from './found-file.ts';
import { fits, nativeCodeIn, type BinaryPlatform } from './native-code.ts';
import type { PlacedPackage } from './package-tree.ts';

type PlainFile = Extract<FoundFile, { kind: 'file' }>;

const HEADER_BYTES = 4_096;
/** Larger ones are looked at by their beginning alone: what C library they want is not told then. */
const MAX_WHOLE_BYTES = 64 * 1024 ** 2;
const AT_ONCE = 16;

/** A package, or a file of the app's own, whose native code does not run on the server. */
export interface NativeMismatch {
  readonly what: string;
  readonly message: string;
}

/** Whether what a package says it is for (`os`, `cpu`, `libc`) excludes `platform`. */
export function isForAnother({ manifest }: Pick<PlacedPackage, 'manifest'>, platform: Platform): boolean {
  return (
    !admits(manifest.os, platform.os) ||
    // WebAssembly runs everywhere; packages name it as a processor.
    !(admits(manifest.cpu, platform.arch) || manifest.cpu.includes('wasm32')) ||
    (platform.libc !== null && !admits(manifest.libc, platform.libc))
  );
}

/** As npm reads these lists: what is named is meant, unless it has a `!`. */
function admits(list: readonly string[], word: string): boolean {
  if (list.length === 0 || list.includes('any')) return true;
  if (list.includes(`!${word}`)) return false;
  return list.includes(word) || list.every((each) => each.startsWith('!'));
}

/**
 * What of `packages` cannot be used on `platform` by what their package.json say: one that is for another platform and needed, or
 * one that has a part of its own for every platform of which the right one is not installed. What is left out of a release because it
 * is for another platform, and can be, is `unused`.
 */
export function platformPackages(
  packages: readonly PlacedPackage[],
  platform: Platform,
): { readonly unused: ReadonlySet<string>; readonly mismatches: readonly NativeMismatch[] } {
  const byDirectory = new Map(packages.map((each) => [each.directory, each]));
  const unused = new Set<string>();
  const mismatches: NativeMismatch[] = [];
  const optional = new Set(
    packages.flatMap((each) => [...each.optional.values()].filter((directory) => directory !== null)),
  );
  for (const each of packages) {
    if (!isForAnother(each, platform)) continue;
    if (optional.has(each.directory)) unused.add(each.directory);
    else mismatches.push({ what: each.name, message: `is for ${wanted(each)} only` });
  }
  for (const each of packages) {
    if (unused.has(each.directory)) continue;
    const parts = [...each.optional].map(([name, directory]) => ({
      name,
      placed: byDirectory.get(directory ?? ''),
    }));
    const isUsable = parts.some(
      ({ placed }) => placed !== undefined && isPart(placed) && !isForAnother(placed, platform),
    );
    const right = parts.filter(({ name }) => namesPlatform(name, platform));
    if (
      isUsable ||
      right.length === 0 ||
      right.some(({ placed }) => placed !== undefined && !unused.has(placed.directory))
    )
      continue;
    const installed = parts
      .filter(({ placed }) => placed !== undefined && isPart(placed))
      .map(({ name }) => name);
    mismatches.push({
      what: each.name,
      message: `has its native code in ${right[0]!.name}, which is not installed${installed.length === 0 ? '' : ` (${installed.join(', ')} is)`}`,
    });
  }
  return { unused, mismatches };
}

/** Whether it is one of the packages of which there is one for each platform. */
function isPart({ manifest }: PlacedPackage): boolean {
  return manifest.os.length > 0 || manifest.cpu.length > 0;
}

/** `@esbuild/linux-x64`, `sharp-linuxmusl-x64`, `rollup-linux-x64-gnu`: whether a name says that it is for `platform`. */
function namesPlatform(name: string, platform: Platform): boolean {
  const words = name.toLowerCase();
  const isMusl = words.includes('musl');
  const isFor = new RegExp(`(?:^|[/_-])${platform.os}(?:musl|glibc)?[-_]`).test(words);
  const isArch = new RegExp(`[-_]${platform.arch}(?:$|[-_])`).test(words);
  return isFor && isArch && (platform.os !== 'linux' || isMusl === (platform.libc === 'musl'));
}

/**
 * The native code among the files of one package, or of the app itself, held against `platform`: it fits where any of it does, for
 * packages bring prebuilt code for many platforms side by side.
 * @returns what is there, and none of it runs; an empty list where there is none, or some of it does.
 */
export async function nativeFiles(
  files: readonly PlainFile[],
  platform: Platform,
): Promise<{
  readonly found: boolean;
  readonly mismatch: { readonly file: PlainFile; readonly is: BinaryPlatform } | null;
}> {
  let mismatch: { file: PlainFile; is: BinaryPlatform } | null = null;
  let found = false;
  const candidates = files.filter(mayBeNative);
  for (let at = 0; at < candidates.length; at += AT_ONCE) {
    const group = candidates.slice(at, at + AT_ONCE);
    const codes = await Promise.all(group.map(nativeCodeOf));
    for (const [index, code] of codes.entries()) {
      if (code.length === 0) continue;
      found = true;
      if (code.some((each) => fits(each, platform))) return { found, mismatch: null };
      mismatch ??= { file: group[index]!, is: code[0]! };
    }
  }
  return { found, mismatch };
}

/** By its name or its mode: reading the beginning of every file would take longer than all the rest. */
function mayBeNative({ path, executable }: PlainFile): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (/\.(?:node|dylib|dll|exe|so(?:\.[\d.]+)?)$/.test(name)) return true;
  return executable && !/\.(?:[cm]?[jt]sx?|sh|py|json|md|txt|html|css|map)$/.test(name);
}

async function nativeCodeOf({ source, sizeBytes }: PlainFile): Promise<BinaryPlatform[]> {
  const file = await open(source, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const code = nativeCodeIn(buffer.subarray(0, bytesRead));
    if (code.length === 0 || code[0]!.os !== 'linux' || sizeBytes > MAX_WHOLE_BYTES) return code;
  } finally {
    await file.close();
  }
  return nativeCodeIn(await readFile(source));
}

/** @throws FulcrumError `platform-mismatch` where there is one. */
export function refuseMismatches(mismatches: readonly NativeMismatch[], platform: Platform): void {
  if (mismatches.length === 0) return;
  const lines = mismatches.map(({ what, message }) => `  ${what} ${message}`);
  const libc = platform.libc === null ? '' : ` --libc=${platform.libc}`;
  throw new FulcrumError(
    'platform-mismatch',
    [
      `The server is ${platformName(platform)}, and what is installed here has native code for something else:`,
      ...lines,
      `Install for the server (\`npm install --os=${platform.os} --cpu=${platform.arch}${libc}\`), or deploy from a machine like it.`,
    ].join('\n'),
    { details: { platform, packages: mismatches.map(({ what }) => what) } },
  );
}

function wanted({ manifest: { os, cpu, libc } }: PlacedPackage): string {
  return [os, cpu, libc]
    .map((list) => list.join(' or '))
    .filter((text) => text !== '')
    .join(', ');
}

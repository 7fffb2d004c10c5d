import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FulcrumError, messageOf } from '../base/errors.ts';
import { randomText } from '../base/ids.ts';

const CHUNK_CHARACTERS = 64 * 1024;

/**
 * Writes lines to a file that is there whole or not at all, in place of what was there before; null: to standard output. Returns how many there were.
 * Rejects with `usage` where the file cannot be written, and with whatever `lines` ends with.
 */
export async function writeLines(
  file: string | null,
  lines: AsyncIterable<string> | Iterable<string>,
): Promise<number> {
  if (file === null) {
    return await inChunks(lines, async (text) => {
      if (!process.stdout.write(text)) await once(process.stdout, 'drain');
    });
  }
  const partial = join(dirname(file), `.${basename(file)}.${randomText(8)}.partial`);
  const handle = await open(partial, 'wx', 0o600).catch((error: unknown) => {
    throw new FulcrumError('usage', `${file} cannot be written: ${messageOf(error)}.`, { cause: error });
  });
  // Whoever interrupts it is not left with half a file.
  const removeHalf = (): void => rmSync(partial, { force: true });
  process.once('exit', removeHalf);
  try {
    let count: number;
    try {
      count = await inChunks(lines, (text) => handle.writeFile(text));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
    return count;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    process.off('exit', removeHalf);
  }
}

async function inChunks(
  lines: AsyncIterable<string> | Iterable<string>,
  write: (text: string) => Promise<void>,
): Promise<number> {
  let text = '';
  let count = 0;
  for await (const line of lines) {
    text += `${line}\n`;
    count++;
    if (text.length < CHUNK_CHARACTERS) continue;
    await write(text);
    text = '';
  }
  if (text !== '') await write(text);
  return count;
}

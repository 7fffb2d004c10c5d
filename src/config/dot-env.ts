import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { FulcrumError, messageOf } from '../base/errors.ts';

const FILES = ['.env', '.env.local'];
const LARGEST_BYTES = 1024 ** 2;

/**
 * The variables of `.env` and, over them, of `.env.local` in `directory`; neither needs to be there. The process's own
 * environment is neither read nor changed. Throws `config-invalid` where a file cannot be read or is larger than 1 MB.
 */
export async function readDotEnv(directory: string): Promise<Map<string, string>> {
  const variables = new Map<string, string>();
  for (const name of FILES) {
    const text = await readIfThere(join(directory, name));
    for (const [key, value] of Object.entries(parseEnv(text))) {
      if (value !== undefined) variables.set(key, value);
    }
  }
  return variables;
}

async function readIfThere(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > LARGEST_BYTES) throw new Error('it is larger than 1 MB');
    return (await file.readFile('utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new FulcrumError('config-invalid', `${path} could not be read: ${messageOf(error)}`, {
      cause: error,
      details: { file: path, issues: [] },
    });
  }
}

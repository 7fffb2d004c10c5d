import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { FulcrumError, messageOf } from '../base/errors.ts';

/** What `--data` was given: itself, what the file behind an `@` has, or all of standard input (`@-`). Rejects with `usage`. */
export async function givenData(data: string): Promise<Buffer> {
  if (!data.startsWith('@')) return Buffer.from(data);
  const where = data.slice(1);
  try {
    return where === '-' ? await buffer(process.stdin) : await readFile(where);
  } catch (error) {
    throw new FulcrumError('usage', `--data ${data} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}

/** Throws `usage`, which names the option. */
export function parseJson(option: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FulcrumError(
      'usage',
      `${option} is not valid JSON (${messageOf(error)}). Strings need their quotes: '"A-1"'.`,
      { cause: error },
    );
  }
}

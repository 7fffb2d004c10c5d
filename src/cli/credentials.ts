import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { FulcrumError, messageOf } from '../base/errors.ts';

/** Where tokens are kept between commands: a line `https://admin.example.com TOKEN` for each server. */
export function credentialsPath(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config'), 'fulcrum', 'credentials');
}

/**
 * The token that is kept for a server; null where none is.
 * @param origin `https://admin.example.com`.
 * @throws FulcrumError `usage` where the file can be read by others, or not at all.
 */
export function keptToken(origin: string, env: NodeJS.ProcessEnv): string | null {
  const path = credentialsPath(env);
  let text: string;
  try {
    const file = openSync(path, 'r');
    try {
      const { mode } = fstatSync(file);
      if ((mode & 0o077) !== 0) {
        throw new FulcrumError(
          'usage',
          `${path} can be read by others, and holds tokens: \`chmod 600 ${path}\` first.`,
        );
      }
      text = readFileSync(file, 'utf8');
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof FulcrumError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new FulcrumError('usage', `${path} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
  for (const line of text.split('\n')) {
    const [server, token] = line.trim().split(/\s+/);
    if (server !== undefined && token !== undefined && URL.parse(server)?.origin === origin) return token;
  }
  return null;
}

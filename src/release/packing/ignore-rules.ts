import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ignore from 'ignore';
import { FulcrumError, messageOf } from '../../base/errors.ts';
import { isSecretFile } from '../release-path.ts';

/**
 * What never goes along, whatever `.fulcrumignore` says: secrets, version control, our own folder, and packages, which are looked at
 * by what needs them. Tests and sources do: a name does not tell that nobody reads a file.
 */
const NEVER = new Set([
  '.fulcrum',
  '.git',
  '.hg',
  '.svn',
  '.jj',
  'node_modules',
  '.npmrc',
  '.yarnrc.yml',
  '.netrc',
]);

/** What editors, systems and package managers leave about. `.fulcrumignore` can have them back (`!.vscode/`). */
const JUNK = `
.DS_Store
Thumbs.db
desktop.ini
.idea/
.vscode/
*.swp
*.swo
*~
.#*
npm-debug.log*
yarn-error.log*
.eslintcache
*.tsbuildinfo
.fulcrumignore
`;

export const IGNORE_FILE = '.fulcrumignore';

export interface IgnoreRules {
  /** @param path relative to the app's folder. */
  ignores(path: string, isFolder: boolean): boolean;
}

/** The rules of an app: ours, then those of its `.fulcrumignore`, in the syntax of `.gitignore`. */
export async function ignoreRules(directory: string): Promise<IgnoreRules> {
  let own = '';
  try {
    own = await readFile(join(directory, IGNORE_FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new FulcrumError('package-failed', `${IGNORE_FILE} cannot be read: ${messageOf(error)}.`, {
        cause: error,
      });
    }
  }
  const rules = ignore({ allowRelativePaths: true }).add(JUNK).add(own);
  return {
    ignores(path, isFolder) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      return isNever(name) || rules.ignores(isFolder ? `${path}/` : path);
    },
  };
}

/** For what is inside installed packages, of which an app says nothing. */
export function isNever(name: string): boolean {
  return NEVER.has(name) || isSecretFile(name);
}

import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The store of a server without a database, in its data folder. */
export const STORE_FILE = 'fulcrum.db';

/** `.ts` in a checkout, `.js` when published: files that are named at run time end as this one does. */
const ENDING = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** What `import … from 'fulcrum'` means in an author's code: the sdk of the Fulcrum that runs it, so that versions never differ. */
export function sdkPath(): string {
  return fileURLToPath(new URL(`../sdk/index.${ENDING}`, import.meta.url));
}

/** Where Node keeps compiled code between processes. In the user's own cache folder, because what is read from it is run. */
export function compileCacheFolder(env: NodeJS.ProcessEnv): string {
  return (
    env.NODE_COMPILE_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'fulcrum', 'compile')
  );
}

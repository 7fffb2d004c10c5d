/**
 * Loads what an instance loads, and nothing of anybody's code, so that Node keeps it compiled in the folder that
 * NODE_COMPILE_CACHE names; tells the folder within that, which is of this version of Node and this user.
 */
import { flushCompileCache, getCompileCacheDir } from 'node:module';

// It finds nobody who would tell it what to run, and gives up once all is loaded.
await import('./main.ts').catch(() => undefined);
await import('./websocket-library.ts');
flushCompileCache();
process.stdout.write(getCompileCacheDir() ?? '');
process.exit(0);

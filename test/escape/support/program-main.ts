/** The hostile program: executed, in a sandbox by the launcher or without one. The world is its one argument. */
import { exitNow } from '../../../src/runtime/native/native.ts';
import type { World } from '../hostile/attempt.ts';
import { tryEverything } from '../hostile/main.ts';

await tryEverything(JSON.parse(process.argv[2]!) as World);
exitNow(0);

import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import { exitNow } from '../native/native.ts';

/** Ends this process. Node says what nobody caught only behind the listeners of `exit`, where a fork is gone. */
export function endLoudly(error: unknown): never {
  writeSync(2, `${inspect(error)}\n`);
  exitNow(1);
}

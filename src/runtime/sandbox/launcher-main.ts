/**
 * The launcher: enters the sandbox that it is told, and becomes the program. What it knows of sandboxes is gone with its
 * memory when it does; what stays are the process id, the standard streams, the folder, and the sandbox. No other descriptor
 * does: whoever started the server may have left it some, and what is open goes around every layer.
 */
import { accessSync, constants, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { delimiter, join } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import { keepStandardStreamsOnExec } from '../native/descriptors.ts';
import { exitNow } from '../native/native.ts';
import { enterSandbox } from './enter.ts';
import { unwrap, type Launch } from './launch.ts';

/** As a shell says that a program could not be executed. */
const EXIT_CANNOT_EXECUTE = 126;

try {
  const { plan, program, parentPid } = JSON.parse(unwrap(process.env)) as Launch;
  // Node writes it when it exits, which this process never does.
  flushCompileCache();
  const folder = process.cwd();
  enterSandbox(plan);
  // From here on the kernel ends it with its parent; that may have ended before.
  if (process.ppid !== parentPid) exitNow(EXIT_CANNOT_EXECUTE);
  process.chdir(folder);
  keepStandardStreamsOnExec();
  const file = find(program.file, program.env['PATH'] ?? '');
  process.execve!(file, [program.file, ...program.args], { ...program.env });
} catch (error) {
  writeSync(2, `${messageOf(error)}\n`);
  // The event loop may not run any more: the filter is in front of what it would call.
  exitNow(EXIT_CANNOT_EXECUTE);
}

/** As execvp(3) looks a program up, but inside the sandbox. */
function find(name: string, path: string): string {
  if (name.includes('/')) return name;
  const found = path
    .split(delimiter)
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, name))
    .find((file) => isExecutable(file));
  if (found === undefined) throw new Error(`There is no program ${name} in the sandbox's PATH (${path}).`);
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

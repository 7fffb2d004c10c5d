import { readFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { exhaustedCode } from '../../base/exhausted.ts';

const TRIES = 20;
/** The youngest of a parent's children, among which the one just forked is. */
const MAX_LOOKED_AT = 64;

/**
 * The process id, in this process' own count, of the child that `parent` calls `inner`: the two differ where the parent lives
 * in a process tree of its own. What a zygote says is not believed, as it has run an author's code: null unless the kernel
 * says that it is a child of `parent`. Rejects where the system has no descriptor to look with.
 * @param lives whether there is such a child still: while there is, it is looked for again, since the kernel's list of a process'
 *   children leaves some out when another ends while it is read.
 */
export async function hostPid(parent: number, inner: number, lives: () => boolean): Promise<number | null> {
  for (let tries = 1; ; tries++) {
    const pid = found(parent, inner);
    if (pid !== null || tries === TRIES || !lives()) return pid;
    await turn();
  }
}

/** The one child of `parent`, which waits for it; null where it has none. */
export function onlyChild(parent: number | null): number | null {
  const child = read(`/proc/${parent}/task/${parent}/children`)?.trim() ?? '';
  return /^\d+$/.test(child) ? Number(child) : null;
}

function found(parent: number, inner: number): number | null {
  // One for each process tree that it is in, this process' own first. The child may be in a further one.
  const depth = idsOf(read(`/proc/${parent}/status`)).length;
  if (depth === 1) {
    const status = read(`/proc/${inner}/status`);
    if (Number(/^PPid:\s*(\d+)$/m.exec(status ?? '')?.[1]) === parent && idsOf(status)[0] === inner)
      return inner;
  }
  const children = (read(`/proc/${parent}/task/${parent}/children`) ?? '').trim().split(' ');
  // The last was begun last.
  for (const child of children.reverse().slice(0, MAX_LOOKED_AT)) {
    if (child !== '' && idsOf(read(`/proc/${child}/status`))[depth - 1] === inner) return Number(child);
  }
  return null;
}

function idsOf(status: string | null): number[] {
  const ids = /^NSpid:(.*)$/m.exec(status ?? '')?.[1];
  return ids === undefined ? [] : ids.trim().split(/\s+/).map(Number);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    // That it cannot be looked at does not say that it is not there.
    if (exhaustedCode(error) !== null) throw error;
    return null;
  }
}

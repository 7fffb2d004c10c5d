/**
 * What each instance of a function adds to its component's sandbox, right after its fork and before it serves: a folder of
 * its own below `/tmp`, and a Landlock layer that ends its signals, its abstract sockets, its traces and its temporary files
 * at itself. Namespaces and control groups are the component's, entered once.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, opendirSync, renameSync, rmdirSync, unlinkSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { rehearse } from '../native/native.ts';
import { addRule, createRuleset, restrictSelf } from './landlock.ts';
import type { SandboxPlan } from './plan.ts';
import { sharedInstanceRules } from './rules.ts';

/** Where the instance's temporary files go: what `TMPDIR` should say. */
function instanceFolder(plan: SandboxPlan, instanceId: string): string {
  return join(plan.tree.tmpFolder, instanceId);
}

/**
 * In the zygote, ahead of the next fork: the part of the instance's Landlock layer that is the same for all, as a descriptor;
 * -1 where there is no Landlock. Each is good for one fork: afterwards the zygote closes it and makes another.
 */
export function prepareInstance(plan: SandboxPlan): number {
  return plan.landlockAbi > 0 ? createRuleset(plan.landlockAbi, sharedInstanceRules(plan)) : -1;
}

/** In the instance. Makes its folder and gives its path. Uses `prepared` up. */
export function enterInstance(plan: SandboxPlan, instanceId: string, prepared: number): string {
  const folder = instanceFolder(plan, instanceId);
  mkdirSync(folder, { mode: 0o700 });
  if (prepared >= 0) {
    addRule(prepared, plan.landlockAbi, { path: folder, access: 'write' });
    restrictSelf(prepared);
  }
  return folder;
}

/** In the zygote, before its first fork: goes through {@link enterInstance}, so that instances inherit compiled code. */
export function rehearseInstance(plan: SandboxPlan): void {
  for (let turn = 0; turn < REHEARSALS; turn++) {
    rehearse(() => enterInstance(plan, REHEARSAL, prepareInstance(plan)));
    emptyInstance(plan, REHEARSAL);
  }
}

const REHEARSALS = 3;
const REHEARSAL = '.rehearsal';

/**
 * In the zygote, once the instance has ended: removes its folder, whatever it holds. Works through at most `maxEntries`
 * files and folders (the private /tmp has few inodes); gives whether all is gone, so that the rest can be a later turn's.
 */
export function emptyInstance(plan: SandboxPlan, instanceId: string, maxEntries = 20_000): boolean {
  try {
    return removed(instanceFolder(plan, instanceId), { entries: maxEntries });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/**
 * A hostile tree may be deeper than a path can say, so folders are moved up to `top` as they are met: no path is ever longer
 * than two names below it.
 */
function removed(top: string, left: { entries: number }): boolean {
  // Not to be guessed, so that nothing of such a name lies there already.
  const moved = `.${randomBytes(12).toString('hex')}-`;
  for (let entry = firstOf(top); entry !== null; entry = firstOf(top)) {
    if (left.entries-- <= 0) return false;
    const path = join(top, entry.name);
    if (entry.isDirectory()) {
      for (let inner = firstOf(path); inner !== null; inner = firstOf(path)) {
        if (left.entries-- <= 0) return false;
        const innerPath = join(path, inner.name);
        if (inner.isDirectory()) {
          chmodSync(innerPath, 0o700);
          renameSync(innerPath, join(top, `${moved}${left.entries}`));
        } else {
          unlinkSync(innerPath);
        }
      }
      rmdirSync(path);
    } else {
      unlinkSync(path);
    }
  }
  rmdirSync(top);
  return true;
}

function firstOf(folder: string): Dirent | null {
  chmodSync(folder, 0o700);
  const entries = opendirSync(folder);
  try {
    return entries.readSync();
  } finally {
    entries.closeSync();
  }
}

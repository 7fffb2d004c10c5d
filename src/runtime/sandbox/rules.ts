import { readdirSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import type { Rule } from './landlock.ts';
import { isWithin, type SandboxPlan } from './plan.ts';
import { DEVICES, MASK_FILE, PRIVATE_FOLDERS, SYSTEM_FILES, SYSTEM_FOLDERS } from './system-files.ts';

/** Landlock's list for a component as a whole. */
export function rulesOf(plan: SandboxPlan): Rule[] {
  const { tree } = plan;
  const written: Rule[] = [{ path: tree.tmpFolder, access: 'write' }, ...storedRules(plan)];
  if (plan.mountPoint === null) return [...fixedRules(plan), ...written];
  // Its own tree holds nothing that it may not read, unless something is hidden in it.
  if (tree.hidden.length === 0) {
    return [readRule('/'), { path: '/dev', access: 'device' }, ...written];
  }
  return [{ path: '/', access: 'list' }, ...fixedRules(plan), ...written];
}

/** The list for instances of a function, to which each adds its own folder: of temporary files it has nothing else. */
export function sharedInstanceRules(plan: SandboxPlan): Rule[] {
  return [...fixedRules(plan), ...storedRules(plan)];
}

function storedRules({ tree }: SandboxPlan): Rule[] {
  return tree.writable.map((path): Rule => ({ path, access: 'write', stored: true }));
}

function fixedRules(plan: SandboxPlan): Rule[] {
  const { tree } = plan;
  const system = [...SYSTEM_FOLDERS, ...(plan.mountPoint === null ? SYSTEM_FILES : ['/etc']), '/proc'];
  const devices: Rule[] =
    plan.mountPoint === null
      ? DEVICES.map(({ name }) => ({ path: `/dev/${name}`, access: 'device' }))
      : [{ path: '/dev', access: 'device' }];
  // What holds the temporary files of all instances is not handed out by a folder around it.
  const read = tree.readable.filter((path) => !isWithin(tree.tmpFolder, path));
  // What hides a name in a tree of its own is mounted on it, and gone once the host renames something over the name, as
  // editors do when they save: so the rules go around it as well. What is mounted may be read: it is empty.
  const masks = plan.mountPoint === null ? [] : [MASK_FILE];
  const own = [
    ...read.flatMap((path) => around(path, tree.hidden)),
    ...[...tree.uncovered, ...masks].map(readRule),
  ];
  // In a tree of its own something empty lies over them, and nobody saves keys there.
  const keys = plan.mountPoint === null ? PRIVATE_FOLDERS : [];
  return [...system.flatMap((path) => around(path, keys)), ...own, ...devices];
}

function readRule(path: string): Rule {
  return { path, access: 'read' };
}

/**
 * Reading of `path` but for what is hidden in it. Landlock's rules are of whole folders, and it has none that takes away: so
 * where something is hidden, the folders around it may be listed, and what else lies in them read as it is there now. Links
 * have no rule: what they lead to has its own, or is hidden.
 */
function around(path: string, hidden: readonly string[]): Rule[] {
  if (hidden.some((covered) => isWithin(path, covered))) return [];
  if (!hidden.some((covered) => isWithin(covered, path))) return [readRule(path)];
  const inner = entriesIn(path)
    .filter((entry) => !entry.isSymbolicLink())
    .flatMap(({ name }) => around(join(path, name), hidden));
  return [{ path, access: 'list' }, ...inner];
}

function entriesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

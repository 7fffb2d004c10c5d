/**
 * A component's own control groups, one for each controller (version 1) or one for all (version 2). Made and removed by the
 * server, joined by the component's first process; every process that it starts is in them too.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../base/errors.ts';
import { SERVER_GROUP, type CgroupSite, type Controller } from './cgroup-site.ts';
import type { CgroupPlan } from './plan.ts';

/** Version 1 counts 1,024 where version 2 counts 100. */
const SHARES_PER_WEIGHT = 10.24;
const REMOVE_TRIES = 40;
const REMOVE_PAUSE_MS = 25;

interface Setting {
  readonly file: string;
  readonly value: string;
  /** Not there on every machine: what counts swap, for one. */
  readonly optional?: boolean;
}

/** The files that hold a controller's bounds, in the order in which they are written. */
export function settingsOf(plan: CgroupPlan, controller: Controller, version: 1 | 2): Setting[] {
  switch (controller) {
    case 'memory': {
      if (plan.memoryBytes === null) return [];
      const value = String(plan.memoryBytes);
      return version === 2
        ? [
            { file: 'memory.max', value },
            { file: 'memory.swap.max', value: '0', optional: true },
          ]
        : [
            // Neither may pass the other, and the group may have had other bounds before.
            { file: 'memory.memsw.limit_in_bytes', value: '-1', optional: true },
            { file: 'memory.limit_in_bytes', value },
            // Memory and swap together, so: no swap.
            { file: 'memory.memsw.limit_in_bytes', value, optional: true },
          ];
    }
    case 'pids':
      return [{ file: 'pids.max', value: String(plan.processes) }];
    case 'cpu':
      return version === 2
        ? [{ file: 'cpu.weight', value: String(plan.cpuWeight) }]
        : [
            {
              file: 'cpu.shares',
              value: String(Math.max(2, Math.round(plan.cpuWeight * SHARES_PER_WEIGHT))),
            },
          ];
  }
}

/** The component's own folders, none twice. */
export function foldersOf(plan: CgroupPlan): string[] {
  const own = Object.values(plan.folders).map(({ path }) => `${path}/${plan.name}`);
  return [...new Set(own)];
}

/**
 * Makes the groups and sets their bounds; what a component of the same name left behind is used on. Gives what could not be
 * done, by controller: those are missing layers too, told by the caller.
 */
export function createCgroups(plan: CgroupPlan): Partial<Record<Controller, string>> {
  const failed: Partial<Record<Controller, string>> = {};
  for (const [controller, folder] of entriesOf(plan)) {
    const own = `${folder.path}/${plan.name}`;
    try {
      if (folder.version === 2) delegate(folder.path, controller);
      makeFolder(own);
      for (const { file, value, optional } of settingsOf(plan, controller, folder.version)) {
        try {
          writeFileSync(`${own}/${file}`, value);
        } catch (error) {
          if (optional !== true) throw error;
        }
      }
    } catch (error) {
      failed[controller] = messageOf(error);
    }
  }
  return failed;
}

/** Moves the calling process into the groups. */
export function joinCgroups(plan: CgroupPlan): void {
  for (const folder of foldersOf(plan)) writeFileSync(`${folder}/cgroup.procs`, '0');
}

/**
 * Kills what is still in the groups and removes them. Resolves with those that could not be removed within a second:
 * something in them does not die.
 */
export async function removeCgroups(plan: CgroupPlan): Promise<string[]> {
  return await removeFolders(foldersOf(plan));
}

/** Kills what is in the groups. @returns whether nothing is, and there they are. */
export function emptyCgroups(plan: CgroupPlan): boolean {
  let isEmpty = true;
  for (const folder of foldersOf(plan)) {
    try {
      if (readFileSync(`${folder}/cgroup.procs`, 'utf8') === '') continue;
    } catch {
      continue;
    }
    isEmpty = false;
    killAll(folder);
  }
  return isEmpty;
}

async function removeFolders(folders: readonly string[]): Promise<string[]> {
  const left = new Set(folders);
  for (let tries = 0; left.size > 0 && tries < REMOVE_TRIES; tries++) {
    if (tries > 0) await sleep(REMOVE_PAUSE_MS);
    for (const folder of left) if (removed(folder)) left.delete(folder);
  }
  return [...left];
}

/**
 * Removes the groups of servers that ended without doing so (killed, or the machine's power gone), with what is still in
 * them. `abandoned` knows whose a name is; groups beside them are not looked at. Resolves with those that are left.
 */
export async function removeAbandonedCgroups(
  site: CgroupSite,
  abandoned: (name: string) => boolean,
): Promise<string[]> {
  const parents = new Set(Object.values(site.folders).map(({ path }) => path));
  const found = [...parents].flatMap((parent) =>
    readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && abandoned(entry.name))
      .map((entry) => `${parent}/${entry.name}`),
  );
  return await removeFolders(found);
}

function removed(folder: string): boolean {
  killAll(folder);
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function killAll(folder: string): void {
  // Version 2 can kill a group as a whole, what is just being forked included (since Linux 5.14).
  if (wroteTo(`${folder}/cgroup.kill`, '1')) return;
  let pids: number[];
  try {
    pids = processesIn(readFileSync(`${folder}/cgroup.procs`, 'utf8'));
  } catch {
    return;
  }
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended in between.
    }
  }
}

/**
 * The processes that `cgroup.procs` names. One that this process cannot see, since it lives in another process tree, is listed
 * as 0, which to kill(2) means the caller's whole group: it is left out.
 */
export function processesIn(procs: string): number[] {
  return procs
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0);
}

/** Whether `value` could be written to `file`, which is not made. */
function wroteTo(file: string, value: string): boolean {
  try {
    writeFileSync(file, value, { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

/**
 * Version 2 gives a controller to a group's children only when the group itself holds no process (its root excepted): what
 * is in it, the server first of all, moves into a group of its own.
 */
function delegate(path: string, controller: Controller): void {
  const control = `${path}/cgroup.subtree_control`;
  if (readFileSync(control, 'utf8').trim().split(/\s+/).includes(controller)) return;
  try {
    writeFileSync(control, `+${controller}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
    const own = `${path}/${SERVER_GROUP}`;
    makeFolder(own);
    // A 0 written there would be the server itself, and moves nobody else.
    for (const pid of processesIn(readFileSync(`${path}/cgroup.procs`, 'utf8'))) {
      writeFileSync(`${own}/cgroup.procs`, String(pid));
    }
    writeFileSync(control, `+${controller}`);
  }
}

/** Not by Node's `recursive`, which never ends where a folder's parent is missing below a file system such as /proc. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function entriesOf(plan: CgroupPlan): [Controller, { version: 1 | 2; path: string }][] {
  return Object.entries(plan.folders) as [Controller, { version: 1 | 2; path: string }][];
}

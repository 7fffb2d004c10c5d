/**
 * Where this process stands in the machine's control groups, and so where a component's group can be made: below its own
 * group, never beside it, so that whatever bounds the server bounds its components too.
 */
export type Controller = 'memory' | 'pids' | 'cpu';
export const CONTROLLERS: readonly Controller[] = ['memory', 'pids', 'cpu'];

/**
 * The child that a server puts itself into, where version 2 lets no process stay in a group whose children have controllers. A successor is
 * started there: its place is the group above, beside the server that it follows.
 */
export const SERVER_GROUP = 'fulcrum-server';

export interface CgroupSite {
  /** The folder of this process' own group, for each controller that can be used. */
  readonly folders: Readonly<Partial<Record<Controller, CgroupFolder>>>;
  /** Why the others cannot. */
  readonly missing: Readonly<Partial<Record<Controller, string>>>;
}

export interface CgroupFolder {
  readonly version: 1 | 2;
  readonly path: string;
}

interface Mount {
  readonly root: string;
  readonly path: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** What the file system says of a folder; handed in, so that the rest is a function of texts. */
export interface CgroupFolders {
  readonly writable: (path: string) => boolean;
  /** The controllers of a version 2 group that its children can have, or could be given. */
  readonly controllers: (path: string) => readonly string[];
}

/** From the texts of `/proc/self/cgroup` and `/proc/self/mountinfo`. */
export function cgroupSite(cgroup: string, mountinfo: string, folders: CgroupFolders): CgroupSite {
  const mounts = mountsOf(mountinfo);
  const groups = cgroup
    .trim()
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, names, path]) => ({ names: names!.split(','), path: path! }));
  const found: Partial<Record<Controller, CgroupFolder>> = {};
  const missing: Partial<Record<Controller, string>> = {};
  const unified = groups.find(({ names }) => names[0] === '');
  const unifiedMount = mounts.find(({ type }) => type === 'cgroup2');
  const unifiedPath = unified && unifiedMount ? below(unifiedMount, withoutServerGroup(unified.path)) : null;
  for (const controller of CONTROLLERS) {
    const group = groups.find(({ names }) => names.includes(controller));
    const mount = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller));
    if (group !== undefined && mount !== undefined) {
      const path = below(mount, group.path);
      if (path === null) missing[controller] = 'its own control group is not mounted here';
      else if (folders.writable(path)) found[controller] = { version: 1, path };
      else missing[controller] = `${path} is not writable`;
    } else if (unifiedPath === null) {
      missing[controller] = 'control groups are not mounted here';
    } else if (!folders.controllers(unifiedPath).includes(controller)) {
      missing[controller] = `${unifiedPath} has no ${controller} controller`;
    } else if (folders.writable(unifiedPath)) {
      found[controller] = { version: 2, path: unifiedPath };
    } else {
      missing[controller] =
        `${unifiedPath} is not writable; a systemd unit with Delegate=yes is given one that is`;
    }
  }
  return { folders: found, missing };
}

function below(mount: Mount, group: string): string | null {
  // Inside a container the mount shows a part of the tree, of which the group's path is not always told.
  if (mount.root === '/') return join(mount.path, group);
  if (group === mount.root || group.startsWith(`${mount.root}/`)) {
    return join(mount.path, group.slice(mount.root.length));
  }
  return group === '/' ? mount.path : null;
}

function join(folder: string, path: string): string {
  return path === '/' || path === '' ? folder : `${folder}${path}`;
}

function mountsOf(mountinfo: string): Mount[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' '))
    .flatMap((fields) => {
      const dash = fields.indexOf('-');
      if (dash < 0) return [];
      const options = (fields[dash + 3] ?? '').split(',');
      return [{ root: fields[3]!, path: fields[4]!, type: fields[dash + 1]!, options }];
    });
}

function withoutServerGroup(path: string): string {
  const own = `/${SERVER_GROUP}`;
  return path.endsWith(own) ? path.slice(0, -own.length) || '/' : path;
}

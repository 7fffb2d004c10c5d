import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * `root` and all that it has begun, directly or through others, at most so many generations of them. What has ended and was not
 * waited for counts, too.
 */
export function processTree(root: number, generations = Infinity): number[] {
  const tree = [root];
  let parents = [root];
  for (let generation = 0; generation < generations && parents.length > 0; generation++) {
    parents = parents.flatMap(childrenOf);
    tree.push(...parents);
  }
  return tree;
}

function childrenOf(pid: number): number[] {
  return list(`/proc/${pid}/task`).flatMap((task) =>
    read(`/proc/${pid}/task/${task}/children`)
      .split(' ')
      .filter((child) => child !== '')
      .map(Number),
  );
}

export function openDescriptors(pid: number): number {
  return list(`/proc/${pid}/fd`).length;
}

/** In the process' mount namespace; in this process' own, where others mount as they like, of a server's sandboxes only. */
export function mounts(pid: number): number {
  const all = read(`/proc/${pid}/mountinfo`).trimEnd().split('\n');
  if (namespaceOf(pid) !== namespaceOf(process.pid)) return all.length;
  return all.filter((mount) => mount.includes('.sandbox/')).length;
}

function namespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return '';
  }
}

/** Memory that nothing else shares with the process. */
export function privateBytes(pid: number): number {
  let bytes = 0;
  for (const [, kilobytes] of read(`/proc/${pid}/smaps_rollup`).matchAll(/^Private_\w+:\s+(\d+) kB$/gm)) {
    bytes += Number(kilobytes) * 1_024;
  }
  return bytes;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

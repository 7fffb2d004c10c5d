import { readdir, readFile, readlink } from 'node:fs/promises';

export interface Listener {
  /** `127.0.0.1`, `0.0.0.0`, `::1`, `::`, or another address as /proc writes it, in hex. */
  readonly address: string;
  readonly port: number;
}

/** More processes or files than this are not looked at: what is asked is only ever for a better message. */
const MAX_PROCESSES = 5_000;
const MAX_FILES = 5_000;

const TCP_LISTEN = '0A';
/** Addresses in /proc/net/tcp are hex in the machine's byte order (all of Node's Linux platforms: little-endian). */
const KNOWN_ADDRESSES: Readonly<Record<string, string>> = {
  '0100007F': '127.0.0.1',
  '00000000': '0.0.0.0',
  '00000000000000000000000001000000': '::1',
  '00000000000000000000000000000000': '::',
};

/**
 * Where the processes of group `groupId` accept TCP connections, its leader's first, by /proc (proc(5), `net/tcp`).
 * Throws where that cannot be told: not Linux, or the leader is gone.
 */
export async function* listenersOf(groupId: number): AsyncGenerator<Listener> {
  const table = await listeningSockets(groupId);
  if (table.size === 0) return;
  for await (const pid of groupMembers(groupId)) {
    for (const inode of await socketsOf(pid)) {
      const listener = table.get(inode);
      if (listener !== undefined) yield listener;
      // A socket that parent and child share is one listener.
      table.delete(inode);
    }
  }
}

async function listeningSockets(pid: number): Promise<Map<string, Listener>> {
  const table = new Map<string, Listener>();
  // The process' own view: it may run in another network namespace.
  const [v4, v6] = await Promise.all([
    readFile(`/proc/${pid}/net/tcp`, 'latin1'),
    readFile(`/proc/${pid}/net/tcp6`, 'latin1').catch(() => ''),
  ]);
  for (const line of `${v4}\n${v6}`.split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields[3] !== TCP_LISTEN) continue;
    const [address, port] = fields[1]!.split(':') as [string, string];
    table.set(fields[9]!, { address: KNOWN_ADDRESSES[address] ?? address, port: Number.parseInt(port, 16) });
  }
  return table;
}

/** The group's leader first: it is mostly the only one that listens, and finding the others costs more. */
async function* groupMembers(groupId: number): AsyncGenerator<number> {
  yield groupId;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).slice(0, MAX_PROCESSES);
  for (const pid of pids) {
    if (Number(pid) === groupId) continue;
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
    // "pid (name) state ppid pgrp …"; the name may hold anything, brackets and spaces too.
    const group = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2];
    if (Number(group) === groupId) yield Number(pid);
  }
}

async function socketsOf(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const files = await readdir(folder).catch((): string[] => []);
  const targets = await Promise.all(
    files.slice(0, MAX_FILES).map((file) => readlink(`${folder}/${file}`).catch(() => '')),
  );
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
}

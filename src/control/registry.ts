import { readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { randomText } from '../base/ids.ts';
import { directoryFault, serverDirectories, serverDirectory } from './runtime-directory.ts';
import { assertSocketPathFits } from './socket-path.ts';

/** A running server as it writes itself down, for the commands of the same user to find. */
export interface ServerEntry {
  readonly id: string;
  readonly pid: number;
  readonly appName: string;
  /** The app's folder, without symbolic links. */
  readonly directory: string;
  readonly socketPath: string;
  readonly adminUrl: string | null;
  readonly gatewayUrl: string;
  readonly startedAtMs: number;
}

export interface ServerSocket {
  readonly id: string;
  readonly socketPath: string;
}

const CONNECT_TIMEOUT_MS = 1_000;
const MAX_ENTRY_BYTES = 64 * 1024;

/** An id and a socket path for a server that is about to listen. Throws `internal` where there is no safe folder for it. */
export async function newServerSocket(env: NodeJS.ProcessEnv = process.env): Promise<ServerSocket> {
  const id = randomText(10);
  const socketPath = join(await serverDirectory(env), `${id}.sock`);
  assertSocketPathFits(socketPath);
  return { id, socketPath };
}

/** Writes `entry` down beside its socket, which must listen already. @returns takes it away again. */
export async function registerServer(entry: ServerEntry): Promise<() => Promise<void>> {
  const path = entry.socketPath.replace(/\.sock$/, '.json');
  const partial = `${path}.${randomText(6)}.part`;
  const directory = await realpath(entry.directory);
  await writeFile(partial, `${JSON.stringify({ ...entry, directory })}\n`, { mode: 0o600, flag: 'wx' });
  await rename(partial, path);
  return () => rm(path, { force: true });
}

/** The servers of this user that answer, latest first. Entries of those that are gone are removed. Never rejects. */
export async function listServers(env: NodeJS.ProcessEnv = process.env): Promise<ServerEntry[]> {
  const lists = await Promise.all(serverDirectories(env).map(serversIn));
  return lists.flat().sort((a, b) => b.startedAtMs - a.startedAtMs);
}

async function serversIn(directory: string): Promise<ServerEntry[]> {
  try {
    // Whoever could write here could have a command talk to a server of theirs.
    if ((await directoryFault(directory)) !== null) return [];
    const files = (await readdir(directory)).filter((file) => file.endsWith('.json'));
    const entries = await Promise.all(
      files.map((file) => livingServer(directory, file.slice(0, -'.json'.length))),
    );
    return entries.filter((entry) => entry !== null);
  } catch {
    return [];
  }
}

async function livingServer(directory: string, id: string): Promise<ServerEntry | null> {
  const path = join(directory, `${id}.json`);
  const socketPath = join(directory, `${id}.sock`);
  const entry = await readEntry(path);
  if (entry?.socketPath === socketPath && entry.id === id && (await answers(socketPath, entry.pid)))
    return entry;
  await Promise.allSettled([rm(path, { force: true }), rm(socketPath, { force: true })]);
  return null;
}

async function readEntry(path: string): Promise<ServerEntry | null> {
  try {
    const text = await readFile(path, 'utf8');
    const value: unknown = text.length > MAX_ENTRY_BYTES ? null : JSON.parse(text);
    return isServerEntry(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * Whether somebody listens. The kernel answers for a busy server, and refuses at once for one that is gone; the pid only
 * decides where it says neither (a full backlog), for pids are reused and other containers have their own.
 */
function answers(socketPath: string, pid: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => settle(isAlive(pid)));
    socket.once('connect', () => settle(true));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      settle(!['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'].includes(error.code ?? '') && isAlive(pid)),
    );
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isServerEntry(value: unknown): value is ServerEntry {
  if (typeof value !== 'object' || value === null) return false;
  const entry = value as Record<string, unknown>;
  const text = (key: string): boolean => typeof entry[key] === 'string';
  const count = (key: string): boolean => Number.isSafeInteger(entry[key]) && Number(entry[key]) > 0;
  return (
    ['id', 'appName', 'directory', 'socketPath', 'gatewayUrl'].every(text) &&
    ['pid', 'startedAtMs'].every(count) &&
    (entry['adminUrl'] === null || text('adminUrl'))
  );
}

import { lstat, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { randomText } from '../base/ids.ts';
import { directoryFault, serverDirectories, serverDirectory } from './runtime-directory.ts';
import { assertSocketPathFits } from './socket-path.ts';

/** A running server as it writes itself down, for the commands of the same user to find. */
export interface ServerEntry {
  readonly id: string;
  readonly pid: number;
  /** `dev`: one app, from its folder. `serve`: any number of apps, from what was deployed. */
  readonly kind: 'dev' | 'serve';
  /** Of `dev`; null for `serve`, which is asked for its apps. */
  readonly appName: string | null;
  /** The app's folder, or that of the server's data; without symbolic links. */
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

/** Where a server that runs as a systemd unit writes itself down: its `XDG_RUNTIME_DIR` is a folder of its own. */
const UNIT_DIRECTORY = '/run/fulcrum-server/fulcrum';

const CONNECT_TIMEOUT_MS = 1_000;
const MAX_ENTRY_BYTES = 64 * 1024;
/** A server listens before it writes itself down; for so long its sockets are left alone. */
const STARTING_MS = 60_000;

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

/** The servers of this user that answer, latest first. What those that are gone left behind is removed. Never rejects. */
export async function listServers(env: NodeJS.ProcessEnv = process.env): Promise<ServerEntry[]> {
  const lists = await Promise.all([...serverDirectories(env), UNIT_DIRECTORY].map(serversIn));
  return lists.flat().sort((a, b) => b.startedAtMs - a.startedAtMs);
}

async function serversIn(directory: string): Promise<ServerEntry[]> {
  try {
    // Whoever could write here could have a command talk to a server of theirs.
    if ((await directoryFault(directory)) !== null) return [];
    const files = await readdir(directory);
    const ids = new Set(files.filter((file) => file.endsWith('.json')).map(idOf));
    const entries = await Promise.all([...ids].map((id) => livingServer(directory, id)));
    for (const file of files) {
      if (/\.(sock|wire|sandbox)$/.test(file) && !ids.has(idOf(file)))
        await removeOrphan(join(directory, file));
    }
    return entries.filter((entry) => entry !== null);
  } catch {
    return [];
  }
}

function idOf(file: string): string {
  return file.slice(0, file.lastIndexOf('.'));
}

async function livingServer(directory: string, id: string): Promise<ServerEntry | null> {
  const base = join(directory, id);
  const socketPath = `${base}.sock`;
  const entry = await readEntry(`${base}.json`);
  if (entry === 'unreadable') return null;
  if (entry === 'invalid' || entry.socketPath !== socketPath || entry.id !== id) {
    // Its sockets, if it has any, are orphans from now on.
    await remove(`${base}.json`);
    return null;
  }
  const answer = await ask(socketPath);
  if (answer === 'refuses') {
    await remove(`${base}.json`, socketPath, `${base}.wire`, `${base}.sandbox`);
    return null;
  }
  // Pids are reused and other containers have their own, so they decide only where the kernel does not.
  return answer === 'listens' || isAlive(entry.pid) ? entry : null;
}

/** Removes a server's socket that has no entry, unless the server may be about to write it. */
async function removeOrphan(path: string): Promise<void> {
  try {
    const stats = await lstat(path);
    if (Date.now() - stats.mtimeMs < STARTING_MS) return;
    // Of a server's folder its socket tells whether it lives.
    const socket = stats.isDirectory() ? path.replace(/\.sandbox$/, '.sock') : path;
    if (stats.isSocket() !== (socket === path)) return;
    if ((await ask(socket)) === 'refuses') await remove(path);
  } catch {
    // Gone by itself, or not ours to judge.
  }
}

async function remove(...paths: string[]): Promise<void> {
  await Promise.allSettled(paths.map((path) => rm(path, { force: true, recursive: true })));
}

/** `unreadable` says nothing about the server: this process may have no file descriptor left. */
async function readEntry(path: string): Promise<ServerEntry | 'invalid' | 'unreadable'> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return 'unreadable';
  }
  try {
    const value: unknown = text.length > MAX_ENTRY_BYTES ? null : JSON.parse(text);
    return isServerEntry(value) ? value : 'invalid';
  } catch {
    return 'invalid';
  }
}

/**
 * Whether somebody listens. The kernel answers for a busy server, and refuses at once for one that is gone; `unknown`
 * where it says neither (a full backlog, no file descriptor left to ask with).
 */
function ask(socketPath: string): Promise<'listens' | 'refuses' | 'unknown'> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const settle = (answer: 'listens' | 'refuses' | 'unknown'): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => settle('unknown'));
    socket.once('connect', () => settle('listens'));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      settle(['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'].includes(error.code ?? '') ? 'refuses' : 'unknown'),
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
    ['id', 'directory', 'socketPath', 'gatewayUrl'].every(text) &&
    (entry['kind'] === 'serve' ? entry['appName'] === null : entry['kind'] === 'dev' && text('appName')) &&
    ['pid', 'startedAtMs'].every(count) &&
    (entry['adminUrl'] === null || text('adminUrl'))
  );
}

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { listServers, newServerSocket, registerServer, type ServerEntry } from './registry.ts';
import { serverDirectory } from './runtime-directory.ts';

let runtime: string;
let env: NodeJS.ProcessEnv;
let servers: Server[];

beforeEach(async () => {
  runtime = await realpath(await mkdtemp(join(tmpdir(), 'fulcrum-rt-')));
  env = { XDG_RUNTIME_DIR: runtime };
  servers = [];
});
afterEach(async () => {
  for (const server of servers) server.close();
  await rm(runtime, { recursive: true });
});

async function listening(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy()).listen(path);
  await once(server, 'listening');
  servers.push(server);
  return server;
}

function entry(part: Pick<ServerEntry, 'id' | 'socketPath'> & Partial<ServerEntry>): ServerEntry {
  return {
    pid: process.pid,
    kind: 'dev',
    appName: 'shop',
    directory: runtime,
    adminUrl: null,
    gatewayUrl: 'http://127.0.0.1:8080',
    startedAtMs: 1,
    ...part,
  };
}

function sandboxOf(socketPath: string): string {
  return socketPath.replace(/\.sock$/, '.sandbox');
}

function wireOf(socketPath: string): string {
  return socketPath.replace(/\.sock$/, '.wire');
}

/** Listens on `paths` and is killed as it does, so that the socket files stay. */
function leaveSockets(...paths: string[]): void {
  const script = `const { createServer } = require('node:net'); const { once } = require('node:events');
    Promise.all(${JSON.stringify(paths)}.map((path) => once(createServer().listen(path), 'listening')))
      .then(() => process.kill(process.pid, 'SIGKILL'))`;
  assert.equal(spawnSync(process.execPath, ['-e', script]).signal, 'SIGKILL');
}

/** Only those of this test: the temporary folder may hold the entries of real servers. */
async function found(): Promise<ServerEntry[]> {
  return (await listServers(env)).filter((server) => server.socketPath.startsWith(runtime));
}

test('a server writes itself down, is found, and takes itself away', async () => {
  const socket = await newServerSocket(env);
  assert.equal((await stat(join(runtime, 'fulcrum'))).mode & 0o777, 0o700);
  await listening(socket.socketPath);
  const link = join(runtime, 'link');
  await symlink(runtime, link);
  const unregister = await registerServer(entry({ ...socket, directory: link }));

  const path = join(runtime, 'fulcrum', `${socket.id}.json`);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await found(), [entry(socket)], 'with its folder as it really is');
  await unregister();
  assert.deepEqual(await found(), []);
  await unregister();
});

test('the latest comes first', async () => {
  for (const startedAtMs of [5, 9, 7]) {
    const socket = await newServerSocket(env);
    await listening(socket.socketPath);
    await registerServer(entry({ ...socket, startedAtMs }));
  }
  assert.deepEqual(
    (await found()).map((server) => server.startedAtMs),
    [9, 7, 5],
  );
});

test('one that is gone is ignored and cleaned away, even where its pid lives on', async () => {
  const folder = await serverDirectory(env);
  const killed = await newServerSocket(env);
  leaveSockets(killed.socketPath, wireOf(killed.socketPath));
  await registerServer(entry({ ...killed, pid: process.pid }));
  await mkdir(join(sandboxOf(killed.socketPath), 'root'), { recursive: true });
  const unbound = await newServerSocket(env);
  await registerServer(entry({ ...unbound, pid: 2 ** 22 + 1 }));
  assert.equal((await readdir(folder)).length, 5);

  assert.deepEqual(await found(), []);
  assert.deepEqual(await readdir(folder), []);
});

test('sockets without an entry are cleaned away once they are old and nobody listens', async () => {
  const folder = await serverDirectory(env);
  const [dead, starting, living] = [
    await newServerSocket(env),
    await newServerSocket(env),
    await newServerSocket(env),
  ];
  for (const { socketPath } of [dead, starting]) leaveSockets(socketPath, wireOf(socketPath));
  await listening(living.socketPath);
  await listening(wireOf(living.socketPath));
  const foreign = join(folder, 'notes.sock');
  await writeFile(foreign, 'no socket at all');
  const old = new Date(Date.now() - 61_000);
  for (const { socketPath } of [dead, living]) {
    await utimes(socketPath, old, old);
    await utimes(wireOf(socketPath), old, old);
  }
  await utimes(foreign, old, old);
  for (const { socketPath } of [dead, starting, living]) {
    await mkdir(join(sandboxOf(socketPath), 'root'), { recursive: true });
    if (socketPath !== starting.socketPath) await utimes(sandboxOf(socketPath), old, old);
  }

  assert.deepEqual(await found(), []);
  assert.deepEqual(
    (await readdir(folder)).sort(),
    [
      `${starting.id}.sock`,
      `${starting.id}.wire`,
      `${starting.id}.sandbox`,
      `${living.id}.sandbox`,
      `${living.id}.sock`,
      `${living.id}.wire`,
      'notes.sock',
    ].sort(),
  );
});

test('an entry that cannot be read at the moment is left where it is', async () => {
  const folder = await serverDirectory(env);
  const socket = await newServerSocket(env);
  await listening(socket.socketPath);
  // A folder stands for every fault of reading (EISDIR here, EMFILE or EACCES elsewhere): root may read any file.
  await mkdir(join(folder, `${socket.id}.json`));
  const linked = await newServerSocket(env);
  await listening(linked.socketPath);
  await symlink(`${linked.id}.json`, join(folder, `${linked.id}.json`));
  const before = (await readdir(folder)).sort();
  assert.deepEqual(await found(), []);
  assert.deepEqual((await readdir(folder)).sort(), before);
});

test('an entry that is none is removed, the socket of one who listens is not', async () => {
  const folder = await serverDirectory(env);
  const socket = await newServerSocket(env);
  await listening(socket.socketPath);
  await writeFile(join(folder, `${socket.id}.json`), '{"id":');
  assert.deepEqual(await found(), []);
  assert.deepEqual(await readdir(folder), [`${socket.id}.sock`]);
});

test('entries that are no entries are ignored, and never lead to a file elsewhere', async () => {
  const folder = await serverDirectory(env);
  const precious = join(runtime, 'precious.sock');
  await writeFile(precious, 'keep me');
  const wrong: Record<string, string> = {
    empty: '',
    number: '7',
    list: '[]',
    cut: '{"id":"cut","pid":1',
    missing: '{"id":"missing"}',
    elsewhere: JSON.stringify(entry({ id: 'elsewhere', socketPath: precious })),
    pid: JSON.stringify(entry({ id: 'pid', socketPath: join(folder, 'pid.sock'), pid: -1 })),
  };
  for (const [id, text] of Object.entries(wrong)) await writeFile(join(folder, `${id}.json`), text);
  assert.deepEqual(await found(), []);
  assert.equal(await readFile(precious, 'utf8'), 'keep me');
});

test('a folder that others could use is refused by servers and not read by commands', async () => {
  const folder = await serverDirectory(env);
  const socket = await newServerSocket(env);
  await listening(socket.socketPath);
  await registerServer(entry(socket));

  await chmod(folder, 0o755);
  await assert.rejects(serverDirectory(env), /can be opened by other users.*set XDG_RUNTIME_DIR/);
  assert.deepEqual(await found(), []);
  await chmod(folder, 0o700);
  assert.equal((await found()).length, 1);

  const other = await mkdtemp(join(runtime, 'other-'));
  await symlink(folder, join(other, 'fulcrum'));
  await assert.rejects(serverDirectory({ XDG_RUNTIME_DIR: other }), /is a symbolic link/);
  const third = await mkdtemp(join(runtime, 'third-'));
  await writeFile(join(third, 'fulcrum'), '');
  await assert.rejects(serverDirectory({ XDG_RUNTIME_DIR: third }), /is not a folder/);
});

test('without a runtime folder the temporary one is taken', async () => {
  const fallback = await serverDirectory({ XDG_RUNTIME_DIR: join(runtime, 'nobody', 'made') });
  assert.equal(fallback, join(tmpdir(), `fulcrum-${process.getuid!()}`));
  assert.equal(await serverDirectory({}), fallback);
});

test('a socket path that the system would cut is refused with what to do', async () => {
  const deep = join(runtime, 'x'.repeat(90));
  await mkdir(deep);
  await assert.rejects(
    newServerSocket({ XDG_RUNTIME_DIR: deep }),
    /Set XDG_RUNTIME_DIR .* to a shorter folder/,
  );
});

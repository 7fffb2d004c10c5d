import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

test('nothing outlives a server that is killed by SIGKILL, an instance in an endless loop included', async (t) => {
  const sockets: Socket[] = [];
  const ends: Promise<unknown>[] = [];
  const listening = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined).resume();
    ends.push(once(socket, 'close'));
  }).listen(0, '127.0.0.1');
  t.after(() => listening.close());
  await once(listening, 'listening');
  const { port } = listening.address() as { port: number };
  const server = spawn(
    process.execPath,
    [
      '--conditions=fulcrum-source',
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, '..', 'fixtures', 'fork-server.ts'),
      String(port),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.after(() => server.kill('SIGKILL'));
  await once(server.stdout, 'data');
  assert.equal(sockets.length, 2);
  server.kill('SIGKILL');
  // Their kernel's, not their own doing: the second loops for ever.
  await Promise.all(ends);
});

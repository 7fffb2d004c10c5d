import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveLines } from './line-process.ts';

/** Starts a bare `node` for every request and sends on what it prints: the least that a new process can cost. */
const server = createServer((_request, response) => {
  const child = spawn(process.execPath, ['-e', "process.stdout.write('Hello, world!')"], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {},
  });
  // As Fulcrum says it, so that the load generator counts both alike.
  response.setHeader('server-timing', 'cold;desc=yes');
  child.stdout.pipe(response);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
await serveLines({ url: `http://127.0.0.1:${port}` }, async () => ({ pids: [process.pid] }));
server.closeAllConnections();
server.close();

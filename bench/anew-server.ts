import { spawn } from 'node:child_process';
import { createServer, get, type ServerResponse } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { serveLines } from './line-process.ts';

/**
 * Starts something anew for each request and sends on what it says: the least that each kind of start can cost. With the
 * path of workerd as its argument it starts that, too.
 */
const [workerd] = process.argv.slice(2);
const HELLO = "process.stdout.write('Hello, world!')";
const SDK = `import * as s3 from '@aws-sdk/client-s3'; if (Object.keys(s3).length > 0) ${HELLO}`;
const THREAD = "require('node:worker_threads').parentPort.postMessage('Hello, world!')";
/** In Cap'n Proto's text form, as workerd takes it; the port is the system's choice. */
const WORKERD_CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    serviceWorkerScript = "addEventListener('fetch', (event) => event.respondWith(new Response('Hello, world!')))",
    compatibilityDate = "2026-01-01"))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]);
`;

const folder = await mkdtemp(join(tmpdir(), 'fulcrum-bench-'));
const workerdConfig = join(folder, 'config.capnp');
await writeFile(workerdConfig, WORKERD_CONFIG);

const STARTS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/node': (response) => startNode(response, HELLO),
  '/node-sdk': (response) => startNode(response, SDK),
  '/thread': startThread,
  '/workerd': startWorkerd,
};

function startNode(response: ServerResponse, code: string): void {
  // Beside this file, so that what it imports is found.
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {},
  });
  child.stdout.pipe(response);
}

function startThread(response: ServerResponse): void {
  const thread = new Worker(THREAD, { eval: true });
  thread.once('message', (text: string) => response.end(text));
}

/** Asked as soon as it says on which port it listens. */
function startWorkerd(response: ServerResponse): void {
  const child = spawn(workerd!, ['serve', '--control-fd=3', workerdConfig], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: {},
  });
  child.stdio[3]!.on('data', (line: Buffer) => {
    const said = JSON.parse(line.toString()) as { event: string; port?: number };
    if (said.event !== 'listen') return;
    get({ host: '127.0.0.1', port: said.port, agent: false }, (answer) => {
      answer.once('end', () => child.kill('SIGKILL'));
      answer.pipe(response);
    });
  });
}

const server = createServer((request, response) => {
  // As Fulcrum says it, so that the load generator counts both alike.
  response.setHeader('server-timing', 'cold;desc=yes');
  STARTS[request.url!]!(response);
});
// Node's own 5 s may pass between two requests on a machine that has more to do.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
await serveLines({ url: `http://127.0.0.1:${port}` }, async () => ({ pids: [process.pid] }));
server.closeAllConnections();
server.close();
await rm(folder, { recursive: true });

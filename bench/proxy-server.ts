import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect, createServer as createPlain, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveLines } from './line-process.ts';
import { rawHandler } from './raw-handler.ts';

/** nginx or HAProxy, in front of Node's own HTTP server over a Unix socket. */
const program = process.argv[2] === 'haproxy' ? 'haproxy' : 'nginx';
const folder = await mkdtemp(join(tmpdir(), 'fulcrum-bench-'));
const upstream = join(folder, 'node.sock');
const server = createServer(rawHandler);
server.listen(upstream);
await once(server, 'listening');
const port = await freePort();
const path = join(folder, 'config');
await writeFile(path, program === 'nginx' ? nginxConfig() : haproxyConfig());
const args = program === 'nginx' ? ['-p', folder, '-c', path, '-e', 'stderr'] : ['-db', '-f', path];
const proxy = spawn(executable(program), args, { stdio: ['ignore', 'ignore', 'inherit'] });
await listening();
await serveLines({ url: `http://127.0.0.1:${port}` }, async () => ({
  pids: [process.pid, proxy.pid!, ...childrenOf(proxy.pid!)],
}));
const ended = once(proxy, 'exit');
proxy.kill('SIGTERM');
await ended;
server.closeAllConnections();
server.close();
await rm(folder, { recursive: true, force: true });

function nginxConfig(): string {
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(folder, kind)};`)
    .join(' ');
  return `${user} daemon off; worker_processes 1; pid ${join(folder, 'pid')}; error_log stderr crit;
    events { worker_connections 4096; }
    http { access_log off; ${temporary} client_max_body_size 64m; keepalive_requests 1000000000;
      upstream node { server unix:${upstream}; keepalive 64; keepalive_requests 1000000000; }
      server { listen 127.0.0.1:${port}; location / { proxy_pass http://node; proxy_http_version 1.1; proxy_set_header Connection ""; } } }`;
}

function haproxyConfig(): string {
  return `global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  http-reuse always
frontend in
  bind 127.0.0.1:${port}
  default_backend node
backend node
  server one unix@${upstream}
`;
}

/** Found where daemons are, too, which an ordinary PATH leaves out. */
function executable(name: string): string {
  return execFileSync('sh', ['-c', `PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v ${name}`])
    .toString()
    .trim();
}

async function freePort(): Promise<number> {
  const probe = createPlain().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address() as AddressInfo;
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return free;
}

async function listening(): Promise<void> {
  for (;;) {
    if (proxy.exitCode !== null) throw new Error(`${program} ended with exit code ${proxy.exitCode}.`);
    const connected = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (connected) return;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

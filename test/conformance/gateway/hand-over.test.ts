import assert from 'node:assert/strict';
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get as httpGet } from 'node:http';
import { connect as http2Connect } from 'node:http2';
import { Agent as TlsAgent, get as httpsGet } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildProcess } from 'node:child_process';
import type { ClientHttp2Session } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import type { TestContext } from 'node:test';
import { writeCertificate } from '../../../src/gateway/testing/test-certificate.ts';
import type { TestCertificate } from '../../../src/gateway/testing/test-certificate.ts';
import type { Tells } from './support/gateway-process.ts';

const MAIN = join(import.meta.dirname, 'support', 'gateway-process.ts');
const IDLE_MS = 1_000;

interface Answered {
  readonly pid: number;
  readonly status: number;
  readonly text: string;
}

/** Counts what a client has asked and got; stops when it is told to. */
class Load {
  readonly byPid = new Map<number, number>();
  readonly failures: string[] = [];
  #state: 'on' | 'off' = 'on';
  readonly #running: Promise<void>[] = [];

  /** Asks over and over, each time `everyMs` after the last was answered. */
  run(name: string, everyMs: number, ask: () => Promise<Answered>): void {
    this.#running.push(this.#loop(name, everyMs, ask));
  }

  count(pid: number): number {
    return this.byPid.get(pid) ?? 0;
  }

  async stop(): Promise<void> {
    this.#state = 'off';
    await Promise.all(this.#running);
  }

  async #loop(name: string, everyMs: number, ask: () => Promise<Answered>): Promise<void> {
    while (this.#state === 'on') {
      try {
        const { pid, status, text } = await ask();
        if (status === 200 && text !== '') this.byPid.set(pid, this.count(pid) + 1);
        else this.failures.push(`${name}: ${status}`);
      } catch (error) {
        this.failures.push(`${name}: ${String(error)}`);
      }
      await delay(everyMs);
    }
  }
}

function asker(get: typeof httpGet, options: object): (path?: string) => Promise<Answered> {
  return (path = '/') =>
    new Promise((resolve, reject) => {
      const request = get(
        { host: '127.0.0.1', path, headers: { Host: 'a.test' }, ...options },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('error', reject);
          response.on('end', () => {
            const pid = Number(response.headers['x-pid']);
            resolve({ pid, status: response.statusCode!, text });
          });
        },
      );
      request.on('error', reject);
    });
}

/** As browsers, Go and curl do: what a GOAWAY says was not served is asked anew on another connection. */
class Http2Asker {
  readonly #port: number;
  readonly #ca: string;
  #session: ClientHttp2Session | null = null;

  constructor(port: number, ca: string) {
    this.#port = port;
    this.#ca = ca;
  }

  async ask(): Promise<Answered> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#once(this.#open());
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        const isUnserved =
          message.includes('NGHTTP2_REFUSED_STREAM') ||
          code === 'ERR_HTTP2_GOAWAY_SESSION' ||
          code === 'ERR_HTTP2_INVALID_SESSION';
        if (!isUnserved || tries === 10) throw error;
        await delay(1);
      }
    }
  }

  close(): void {
    this.#session?.destroy();
  }

  #open(): ClientHttp2Session {
    if (this.#session !== null && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const session = http2Connect(`https://127.0.0.1:${this.#port}`, { ca: this.#ca, servername: 'a.test' });
    session.on('error', () => undefined);
    return (this.#session = session);
  }

  #once(session: ClientHttp2Session): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const stream = session.request({ ':path': '/', ':authority': 'a.test' });
      let text = '';
      let head: { pid: number; status: number } | null = null;
      stream.on('error', reject);
      stream.on('response', (headers) => {
        head = { pid: Number(headers['x-pid']), status: headers[':status']! };
      });
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      stream.on('close', () => {
        if (head === null || stream.rstCode !== 0) reject(new Error(`closed with ${stream.rstCode}`));
        else resolve({ ...head, text });
      });
    });
  }
}

async function told<K extends Tells['kind']>(
  child: ChildProcess,
  kind: K,
): Promise<Extract<Tells, { kind: K }>> {
  for (;;) {
    const [message] = (await once(child, 'message')) as [Tells];
    if (message.kind === kind) return message as Extract<Tells, { kind: K }>;
  }
}

async function certificate(t: TestContext): Promise<TestCertificate> {
  const directory = await mkdtemp(join(tmpdir(), 'hand-over-'));
  t.after(() => rm(directory, { recursive: true }));
  return writeCertificate(directory, { names: ['a.test'] });
}

function ended(child: ChildProcess): Promise<unknown> {
  return child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, 'exit');
}

test(
  'a server hands its sockets to its successor in the midst of requests: none fails',
  { timeout: 60_000 },
  async (t) => {
    const { certPath, keyPath, cert } = await certificate(t);
    const old = fork(MAIN, [certPath, keyPath]);
    t.after(() => void old.kill('SIGKILL'));
    const { pid, httpPort, httpsPort } = await told(old, 'serving');
    const load = new Load();
    const agents: (Agent | TlsAgent)[] = [];
    for (let i = 0; i < 8; i++) {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const tls = new TlsAgent({ keepAlive: true, maxSockets: 1, ca: cert, servername: 'a.test' });
      agents.push(agent, tls);
      // Some always ask, some pause for nearly as long as an idle connection is left open.
      const everyMs = [2, 5, 20, 300][i]!;
      load.run(`HTTP/1.1 every ${everyMs} ms`, everyMs, asker(httpGet, { port: httpPort, agent }));
      load.run(`TLS every ${everyMs} ms`, everyMs, asker(httpsGet, { port: httpsPort, agent: tls }));
    }
    load.run('new connections', 5, asker(httpGet, { port: httpPort, agent: false }));
    const multiplexed = new Http2Asker(httpsPort, cert);
    for (let i = 0; i < 4; i++) load.run('HTTP/2', 5, () => multiplexed.ask());
    while (load.count(pid) < 200) await delay(10);

    const streaming = asker(httpGet, { port: httpPort, agent: false })('/slow');
    const left = told(old, 'left');
    old.send({ kind: 'hand-over', idleMs: IDLE_MS });
    const { successor } = await left;
    t.after(() => stopped(successor));
    const afterwards = load.count(successor);
    while (load.count(successor) < afterwards + 200) await delay(10);
    await load.stop();
    const stream = await streaming;
    multiplexed.close();
    for (const agent of agents) agent.destroy();

    assert.deepEqual(load.failures, []);
    assert.deepEqual(new Set(load.byPid.keys()), new Set([pid, successor]));
    assert.deepEqual([stream.pid, stream.text], [pid, 'xxxxxxxxxx/slow']);
    await ended(old);
    assert.equal(old.exitCode, 0);
  },
);

/** Ends a process that is not our child, if it is there. */
function stopped(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended by itself.
  }
}

/** Node tells it to nobody, but this is how a socket is passed to a program by its number. */
function fdOf(server: Server): number {
  return (server as unknown as { _handle: { fd: number } })._handle.fd;
}

test(
  'a socket that was listened on before we were started, as by systemd',
  { timeout: 60_000 },
  async (t) => {
    const { certPath, keyPath } = await certificate(t);
    const held = createServer();
    held.listen(0, '127.0.0.1');
    await once(held, 'listening');
    const { port } = held.address() as AddressInfo;
    // The shell becomes the process whose id it names, as systemd's child does.
    const command = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=http exec "$0" "$@"';
    const child = spawn(
      'sh',
      ['-c', command, process.execPath, ...process.execArgv, MAIN, certPath, keyPath],
      {
        stdio: ['ignore', 'inherit', 'inherit', fdOf(held), 'ipc'],
      },
    );
    t.after(() => void child.kill('SIGKILL'));
    const serving = told(child, 'serving');
    held.close();
    const { pid, httpPort } = await serving;
    assert.equal(httpPort, port);
    const answer = await asker(httpGet, { port, agent: false })();
    assert.deepEqual([answer.status, answer.pid], [200, pid]);
    child.kill('SIGTERM');
    await ended(child);
  },
);

import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import type { Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { listenFds } from '../../../../src/gateway/listen-fds.ts';
import { OK } from '../../../../src/gateway/testing/fake-instance.ts';
import { GatewayFixture } from '../../../../src/gateway/testing/gateway-fixture.ts';

/**
 * A gateway in a process of its own. Told `hand-over` it starts another like itself, gives it its sockets, leaves them once that serves,
 * and ends when its last request is answered.
 */
type Told = { readonly kind: 'hand-over'; readonly idleMs: number };
export type Tells =
  | { readonly kind: 'serving'; readonly pid: number; readonly httpPort: number; readonly httpsPort: number }
  | { readonly kind: 'left'; readonly connections: number; readonly successor: number };
type Sent = { readonly kind: 'http' | 'https' | 'go' };

const [certPath, keyPath] = process.argv.slice(2) as [string, string];
/** What is sent at once, and what takes its time. */
const STREAM_MS = 1_500;

const fixture = new GatewayFixture({});
fixture.runs('who', ['/*'], {
  http: async ({ head, response }) => {
    await delay(3);
    response.head({ status: 200, headers: ['X-Pid', String(process.pid)] });
    if (head.target === '/slow') {
      for (let sent = 0; sent < 10; sent++) {
        response.data(Buffer.from('x'));
        await delay(STREAM_MS / 10);
      }
    }
    response.data(Buffer.from(head.target));
    response.end();
    return OK;
  },
});

const { gateway } = fixture;
const certificates = [{ certPath, keyPath, hosts: null }];
const ports = { httpPort: 0, httpsPort: 0 };
const passed = listenFds(process.env, process.pid);

if (process.env['SUCCESSOR'] === '1') await take();
else if (passed.length > 0) ports.httpPort = (await gateway.listen({ fd: passed[0]!.fd })).port;
else {
  const at = { port: 0, host: '127.0.0.1' };
  ports.httpPort = (await gateway.listen(at)).port;
  ports.httpsPort = (await gateway.listenTls({ at, certificates, hsts: null })).port;
}
tell({ kind: 'serving', pid: process.pid, ...ports });
process.on('message', (message: Told) => void handOver(message.idleMs));
process.on('SIGTERM', () => void gateway.close(0).then(() => process.exit(0)));

/** Listens on what the predecessor sends, and says so. */
async function take(): Promise<void> {
  const opening: Promise<unknown>[] = [];
  await new Promise<void>((resolve) => {
    process.on('message', (message: Sent, handle: unknown) => {
      const server = handle as Server;
      if (message.kind === 'http') opening.push(gateway.listen({ server }));
      else if (message.kind === 'https') {
        opening.push(gateway.listenTls({ at: { server }, certificates, hsts: null }));
      } else resolve();
    });
    process.send!({ kind: 'ready' });
  });
  await Promise.all(opening);
}

async function handOver(idleMs: number): Promise<void> {
  const successor = fork(import.meta.filename, [certPath, keyPath], {
    env: { ...process.env, SUCCESSOR: '1' },
    detached: true,
  });
  await said(successor, 'ready');
  const serving = said(successor, 'serving');
  for (const { kind, server } of gateway.listening) {
    await new Promise<void>((resolve) => void successor.send({ kind }, server, () => resolve()));
  }
  successor.send({ kind: 'go' });
  await serving;
  await gateway.releaseListening(idleMs);
  tell({ kind: 'left', connections: gateway.connections, successor: successor.pid! });
  await gateway.close(10_000);
  successor.disconnect();
  successor.unref();
  process.disconnect?.();
}

async function said(child: ChildProcess, kind: string): Promise<void> {
  for (;;) {
    const [message] = (await once(child, 'message')) as [{ kind: string }];
    if (message.kind === kind) return;
  }
}

function tell(message: Tells): void {
  process.send!(message);
}

import { request } from 'node:http';
import { connect } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import type { Health } from '../../model/instance.ts';

/** Where a program answers: it may listen on one of the two only. */
export interface Address {
  readonly host: '127.0.0.1' | '::1';
  readonly port: number;
}

const BODY_SHOWN_BYTES = 200;
const HEALTHY: Health = { healthy: true };

/** Whether somebody accepts connections at `address`. Never rejects. */
export function probeConnect(address: Address, timeoutMs: number, clock: Clock): Promise<Health> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const settle = (health: Health): void => {
      timer.cancel();
      socket.destroy();
      resolve(health);
    };
    const timer = clock.after(timeoutMs, () =>
      settle({ healthy: false, reason: `no TCP connection within ${formatDuration(timeoutMs)}` }),
    );
    socket.once('connect', () => settle(HEALTHY));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      settle({ healthy: false, reason: describe(error, address) }),
    );
  });
}

/** Whether GET `path` answers 2xx. The reason tells what it answered instead. Never rejects. */
export function probePath(address: Address, path: string, timeoutMs: number, clock: Clock): Promise<Health> {
  return new Promise((resolve) => {
    const settle = (health: Health): void => {
      timer.cancel();
      probe.destroy();
      resolve(health);
    };
    const unhealthy = (what: string): void => settle({ healthy: false, reason: `GET ${path}: ${what}` });
    const timer = clock.after(timeoutMs, () => unhealthy(`no answer within ${formatDuration(timeoutMs)}`));
    const probe = request({
      ...address,
      path,
      agent: false,
      // Frameworks that check the host know this one.
      headers: { Host: `localhost:${address.port}`, 'User-Agent': 'fulcrum-health', Accept: '*/*' },
    });
    probe.on('error', (error: NodeJS.ErrnoException) => unhealthy(describe(error, address)));
    probe.once('upgrade', (_response, socket) => {
      socket.destroy();
      unhealthy('answered 101');
    });
    probe.once('response', (response) => {
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) return settle(HEALTHY);
      let body = Buffer.alloc(0);
      const tell = (): void => unhealthy(`answered ${status}${excerpt(body)}`);
      response.on('data', (chunk: Buffer) => {
        body = Buffer.concat([body, chunk]);
        if (body.length >= BODY_SHOWN_BYTES) tell();
      });
      response.once('end', tell);
      response.on('error', tell);
    });
    probe.end();
  });
}

function describe(error: NodeJS.ErrnoException, { port }: Address): string {
  if (error.code === 'ECONNREFUSED') return `nothing listens on port ${port}`;
  if (error.code === 'ECONNRESET') return 'the connection was closed without an answer';
  return error.message;
}

/** The body's start on one line, for a message. */
function excerpt(body: Buffer): string {
  const text = body
    .subarray(0, BODY_SHOWN_BYTES)
    .toString('utf8')
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim();
  return text === '' ? '' : `: ${text}`;
}

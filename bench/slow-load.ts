import { connect, type Socket } from 'node:net';
import { serveLines } from './line-process.ts';

/** Clients that take their time, opened and held at the word of whoever measures. */
interface Order {
  readonly url: string;
  /** 0: only tells how things stand. */
  readonly count: number;
  /** From so many addresses at least, as many clients would come: one address may only have so many connections. */
  readonly perAddress: number;
}

const KINDS = ['half-open', 'slow head', 'slow body', 'slow reader'] as const;
/** Opened at once, so that the system's queue of new connections is not what is measured. */
const AT_A_TIME = 200;

const sockets = new Set<Socket>();
let opened = 0;
let cut = 0;
let wanted = 0;

await serveLines({ ready: true }, async (order: Order) => {
  if (order.count > 0) {
    wanted = order.count;
    while (opened < order.count) {
      await Promise.all(
        Array.from({ length: Math.min(AT_A_TIME, order.count - opened) }, () => open(order, opened++)),
      );
    }
  }
  return { cut };
});
wanted = 0;
for (const socket of sockets) socket.destroy();
process.exit();

function open(order: Order, index: number): Promise<void> {
  const target = new URL(order.url);
  const kind = KINDS[index % KINDS.length]!;
  const address = Math.floor(index / order.perAddress);
  const socket = connect({
    host: target.hostname,
    port: Number(target.port),
    localAddress: `127.1.${address >> 8}.${(address & 255) + 1}`,
  });
  return new Promise((resolve) => {
    let drip: NodeJS.Timeout | null = null;
    socket.on('connect', () => {
      sockets.add(socket);
      drip = begin(socket, kind, target);
      resolve();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (drip !== null) clearInterval(drip);
      sockets.delete(socket);
      cut++;
      resolve();
      // A client that is cut comes back after a while, as attackers do; bounded, for there are as many as were asked for.
      if (wanted > 0) setTimeout(() => void (wanted > 0 && open(order, index)), 1_000).unref();
    });
  });
}

/** Writes a byte a second, or reads nothing. */
function begin(socket: Socket, kind: (typeof KINDS)[number], target: URL): NodeJS.Timeout | null {
  const host = `Host: ${target.host}\r\n`;
  switch (kind) {
    case 'half-open':
      return null;
    case 'slow head':
      socket.write(`GET ${target.pathname} HTTP/1.1\r\n${host}X-Slow: `);
      break;
    case 'slow body':
      socket.write(`POST ${target.pathname}/upload HTTP/1.1\r\n${host}Content-Length: 100000\r\n\r\n`);
      break;
    case 'slow reader':
      socket.pause();
      socket.write(`GET ${target.pathname}/download HTTP/1.1\r\n${host}\r\n`);
      return null;
  }
  return setInterval(() => socket.write('x'), 1_000);
}

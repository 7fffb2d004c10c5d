import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import { ClientCounts } from './client-counts.ts';
import { Connection } from './connection.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { ConnectionHandler } from './connection.ts';
import type { GatewayLimits } from './limits.ts';

export interface ListenerOptions {
  readonly limits: GatewayLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly handler: Omit<ConnectionHandler, 'closed'>;
  /** Whether an address may open as many connections as it likes: a proxy of ours, behind which many clients are. */
  readonly trusts: (address: string) => boolean;
}

/** How many turned-away connections are told of in one line of the log, at most once in this time. */
const TELL_REFUSED_MS = 10_000;

/** The socket that clients connect to. Knows every open connection, so that none outlives `close` or its limits. */
export class Listener {
  readonly #server: Server;
  readonly #options: ListenerOptions;
  readonly #handler: ConnectionHandler;
  readonly #connections = new Set<Connection>();
  readonly #clients: ClientCounts;
  readonly #watch: { cancel(): void };
  #refused = 0;
  #toldRefusedMs = Number.NEGATIVE_INFINITY;
  #state: 'open' | 'draining' = 'open';
  #emptied: (() => void) | null = null;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { limits, clock, handler } = options;
    this.#clients = new ClientCounts(limits.maxConnectionsPerClient);
    this.#handler = {
      request: (connection, head) => handler.request(connection, head),
      upgrade: (connection, head, socket, early) => handler.upgrade(connection, head, socket, early),
      malformed: (connection, error) => handler.malformed(connection, error),
      closed: (connection) => this.#closed(connection),
    };
    // Each side is ended by us, so that the last answer is never lost to a reset.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#open(socket));
    this.#watch = clock.every(watchPeriodMs(limits), () => this.#look());
  }

  /** @returns the port, which the system chooses for 0. Rejects with `port-in-use`. */
  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => reject(listenError(error, port, host));
      this.#server.once('error', onError);
      this.#server.listen({ port, host, backlog: 4_096 }, () => {
        this.#server.off('error', onError);
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Accepts no more, lets what is in flight end within `drainMs`, then cuts what is left; at once for 0. */
  async close(drainMs: number): Promise<void> {
    this.#state = 'draining';
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const connection of this.#connections) connection.close();
    const cut = (): void => {
      for (const { socket } of this.#connections) socket.destroy();
    };
    const timer = drainMs > 0 ? this.#options.clock.after(drainMs, cut) : null;
    if (timer === null) cut();
    await closed;
    // Node says so before the last sockets have told those who wait on them.
    if (this.#connections.size > 0) await new Promise<void>((resolve) => void (this.#emptied = resolve));
    timer?.cancel();
    this.#watch.cancel();
  }

  get connections(): number {
    return this.#connections.size;
  }

  #open(socket: Socket): void {
    const { limits, clock, trusts } = this.#options;
    const address = socket.remoteAddress ?? '0.0.0.0';
    if (!this.#makeRoom() || !(trusts(address) || this.#clients.mayEnter(address))) {
      this.#refuse(socket);
      return;
    }
    this.#clients.enter(address);
    const connection = new Connection(socket, clock, limits, this.#handler);
    this.#connections.add(connection);
    if (this.#state === 'draining') connection.close();
  }

  #closed(connection: Connection): void {
    if (!this.#connections.delete(connection)) return;
    this.#clients.leave(connection.peer.address);
    if (this.#connections.size === 0) this.#emptied?.();
  }

  /** Where the house is full, whoever has been idle longest between two requests goes: it has been answered, and can come again. */
  #makeRoom(): boolean {
    if (this.#connections.size < this.#options.limits.maxConnections) return true;
    let oldest: Connection | null = null;
    for (const connection of this.#connections) {
      const sinceMs = connection.idleSinceMs;
      if (sinceMs !== null && (oldest === null || sinceMs < oldest.idleSinceMs!)) oldest = connection;
    }
    if (oldest === null) return false;
    oldest.close();
    return true;
  }

  #refuse(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.destroy();
    this.#refused++;
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#toldRefusedMs < TELL_REFUSED_MS) return;
    this.#toldRefusedMs = nowMs;
    this.#options.logger.warn(
      { refused: this.#refused, open: this.#connections.size, address: socket.remoteAddress ?? null },
      'connections were turned away, because as many are open as may be, in all or from one address',
    );
    this.#refused = 0;
  }

  /** One timer for all connections: a timer for each would be what a warm request mostly costs. */
  #look(): void {
    const nowMs = this.#options.clock.monotonicMs();
    let pendingBytes = 0;
    for (const connection of this.#connections) {
      connection.watch(nowMs);
      pendingBytes += connection.writer.pendingBytes;
    }
    if (pendingBytes > this.#options.limits.maxPendingBytes) this.#cutLongestStalled(pendingBytes);
  }

  #cutLongestStalled(pendingBytes: number): void {
    let left = pendingBytes;
    const waiting = [...this.#connections].filter(({ writer }) => writer.pendingBytes > 0);
    waiting.sort((a, b) => a.stalledSinceMs - b.stalledSinceMs);
    for (const connection of waiting) {
      if (left <= this.#options.limits.maxPendingBytes) return;
      left -= connection.writer.pendingBytes;
      connection.cutStalled('held up too much memory, together with that of others');
    }
  }
}

/** Often enough that no limit is overrun by more than a quarter. */
function watchPeriodMs(limits: GatewayLimits): number {
  const { headersTimeoutMs, bodyIdleMs, keepAliveMs, stalledClientMs, lingerMs, minRateGraceMs } = limits;
  const shortestMs = Math.min(
    headersTimeoutMs,
    bodyIdleMs,
    keepAliveMs,
    stalledClientMs,
    lingerMs,
    minRateGraceMs,
  );
  return Math.max(10, Math.min(1_000, shortestMs / 4));
}

function listenError(error: NodeJS.ErrnoException, port: number, host: string): FulcrumError {
  if (error.code === 'EADDRINUSE') {
    return new FulcrumError(
      'port-in-use',
      `Port ${port} on ${host} is in use. Stop the program that has it, or choose another port.`,
      { cause: error },
    );
  }
  return asFulcrumError(error);
}

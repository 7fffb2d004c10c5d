import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import { Connection } from './connection.ts';
import type { Clock } from '../base/clock.ts';
import type { GatewayLimits } from './limits.ts';
import type { ClientError } from './malformed.ts';

export interface ListenerHandlers {
  request(
    connection: Connection,
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
  ): void;
  upgrade(connection: Connection, request: IncomingMessage, early: Uint8Array): void;
  malformed(connection: Connection, error: ClientError): void;
}

/** Upgrades that clients offer without being asked, and that a server may pass over (RFC 9110, 7.8). */
const IGNORED_UPGRADES: ReadonlySet<string> = new Set(['h2c', 'h2', 'tls/1.0', 'tls/1.2', 'tls/1.3']);

/** The socket that clients connect to. Knows every open connection, so that none outlives `close`. */
export class Listener {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #lingerMs: number;
  readonly #connections = new Map<Duplex, Connection>();
  #draining = false;
  #emptied: (() => void) | null = null;

  constructor(limits: GatewayLimits, clock: Clock, handlers: ListenerHandlers) {
    this.#clock = clock;
    this.#lingerMs = limits.lingerMs;
    const server = createServer({
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      // An upload may take long; what it may not is stand still, which the body's own timer sees to.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.max(20, Math.min(1_000, limits.headersTimeoutMs / 4)),
      keepAliveTimeout: limits.keepAliveMs,
      // Missing hosts are refused with a problem document like everything else.
      requireHostHeader: false,
      optimizeEmptyRequests: true,
      noDelay: true,
      shouldUpgradeCallback: wantsUpgrade,
    });
    // Node takes a connection for idle as soon as its last answer is handed over, sent or not: each one ends itself instead.
    server.closeIdleConnections = () => undefined;
    // Node would drop what is above its limit without a word; the gateway refuses it.
    server.maxHeadersCount = 0;
    server.maxConnections = limits.maxConnections;
    server.on('connection', (socket: Socket) => this.#open(socket));
    const serve = (request: IncomingMessage, response: ServerResponse, expects: boolean): void => {
      const connection = this.#connections.get(request.socket);
      if (connection !== undefined) handlers.request(connection, request, response, expects);
    };
    server.on('request', (request, response) => serve(request, response, false));
    server.on('checkContinue', (request, response) => serve(request, response, true));
    server.on('checkExpectation', (request, response) => serve(request, response, false));
    const takeOver = (request: IncomingMessage, socket: Duplex, early: Buffer): void => {
      const connection = this.#connections.get(socket);
      if (connection !== undefined) handlers.upgrade(connection, request, early);
    };
    server.on('upgrade', takeOver);
    server.on('connect', takeOver);
    server.on('clientError', (error: ClientError, socket: Duplex) => {
      const connection = this.#connections.get(socket);
      if (connection === undefined) socket.destroy();
      else handlers.malformed(connection, error);
    });
    this.#server = server;
  }

  /** @returns the port, which the system chooses for 0. Rejects with `port-in-use`. */
  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => reject(listenError(error, port, host));
      this.#server.once('error', onError);
      this.#server.listen(port, host, () => {
        this.#server.off('error', onError);
        resolve();
      });
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Accepts no more, lets what is in flight end within `drainMs`, then cuts what is left; at once for 0. */
  async close(drainMs: number): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const connection of this.#connections.values()) connection.close();
    const cut = (): void => {
      for (const socket of this.#connections.keys()) socket.destroy();
    };
    const timer = drainMs > 0 ? this.#clock.after(drainMs, cut) : null;
    if (timer === null) cut();
    await closed;
    // Node says so before the last sockets have told those who wait on them.
    if (this.#connections.size > 0) await new Promise<void>((resolve) => void (this.#emptied = resolve));
    timer?.cancel();
  }

  get connections(): number {
    return this.#connections.size;
  }

  #open(socket: Socket): void {
    const connection = new Connection(socket, this.#clock, this.#lingerMs);
    this.#connections.set(socket, connection);
    socket.once('close', () => {
      this.#connections.delete(socket);
      if (this.#connections.size === 0) this.#emptied?.();
    });
    if (this.#draining) connection.close();
  }
}

function wantsUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade !== undefined && !IGNORED_UPGRADES.has(headers.upgrade.trim().toLowerCase());
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

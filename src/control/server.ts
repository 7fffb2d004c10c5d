import { getRequestListener, RequestError } from '@hono/node-server';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { FulcrumError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { allowedAuthorities } from './access.ts';
import type { ControlPort } from './port.ts';
import { problemResponse } from './problem.ts';
import { buildSite, type Transport } from './site.ts';
import { assertSocketPathFits } from './socket-path.ts';

const HEADERS_TIMEOUT_MS = 10_000;
/** For the request to arrive in full; how long the answer takes is not bounded by it. */
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 256;
const MAX_HEADER_BYTES = 16 * 1024;
/** What is in flight may finish for so long once the server closes. */
const CLOSE_GRACE_MS = 1_000;

export interface ControlServerOptions {
  readonly port: ControlPort;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Asked for over HTTP. */
  readonly token: string;
  /** `Host` values (`admin.example.com`, `10.0.0.5:8081`) that are ours too, behind a tunnel or proxy that someone has set up. */
  readonly allowedHosts?: readonly string[];
}

export interface ControlListenOptions {
  /** 0: the system chooses. Null: no HTTP. */
  readonly httpPort: number | null;
  readonly host: '127.0.0.1';
  /** Null: no Unix socket. */
  readonly socketPath: string | null;
}

export interface ControlAddresses {
  /** Without a trailing slash. */
  readonly url: string | null;
  readonly socketPath: string | null;
}

/** The admin API over HTTP on loopback and over a Unix socket that only its owner can open. */
export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #servers: Server[] = [];
  readonly #closing = new AbortController();
  readonly #site: ReturnType<typeof buildSite>;
  #authorities: ReadonlySet<string> = new Set();
  #url: string | null = null;

  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#site = buildSite({
      port: options.port,
      clock: options.clock,
      logger: options.logger,
      token: options.token,
      closing: this.#closing.signal,
      authorities: () => this.#authorities,
    });
  }

  /** Throws `port-in-use`, or `internal` where the address cannot be listened on for another reason; then nothing listens. */
  async listen(options: ControlListenOptions): Promise<ControlAddresses> {
    try {
      if (options.httpPort !== null) {
        const address = await this.#listen('http', { port: options.httpPort, host: options.host });
        const { port } = address as AddressInfo;
        this.#authorities = allowedAuthorities(port, this.#options.allowedHosts);
        this.#url = `http://${options.host}:${port}`;
      }
      if (options.socketPath !== null) {
        assertSocketPathFits(options.socketPath);
        await this.#listen('socket', { path: options.socketPath });
      }
    } catch (error) {
      // Another port may be tried next.
      this.#url = null;
      await this.#endServers();
      throw error;
    }
    return { url: this.#url, socketPath: options.socketPath };
  }

  /** The link for a person; it carries the token. Null where there is no HTTP. */
  get link(): string | null {
    return this.#url === null ? null : `${this.#url}/?token=${encodeURIComponent(this.#options.token)}`;
  }

  /** Ends followed logs, lets what is in flight finish for a second, and frees port and socket file. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#endServers();
  }

  async #endServers(): Promise<void> {
    const servers = this.#servers.splice(0);
    const cut = this.#options.clock.after(CLOSE_GRACE_MS, () => {
      for (const server of servers) server.closeAllConnections();
    });
    await Promise.all(servers.map(closed));
    cut.cancel();
  }

  #listen(transport: Transport, where: ListenOptions): Promise<AddressInfo | string | null> {
    const listener = getRequestListener(
      (request, env) => this.#site.fetch(request, Object.assign(env, { transport })),
      { overrideGlobalObjects: false, errorHandler: (error) => this.#failed(error) },
    );
    const server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
      },
      (request, response) => void listener(request, response),
    );
    server.maxConnections = MAX_CONNECTIONS;
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, where)));
      // A Unix socket is bound within listen(), so that it never exists with a wider mode than 0600.
      const umask = transport === 'socket' ? process.umask(0o177) : null;
      server.listen(where, () => resolve(server.address()));
      if (umask !== null) process.umask(umask);
    });
  }

  #failed(error: unknown): Response {
    if (error instanceof RequestError)
      return problemResponse(new FulcrumError('bad-request', `${error.message}.`));
    this.#options.logger.error({ err: error }, 'the admin API failed');
    return problemResponse(new FulcrumError('internal', messageOf(error), { cause: error }));
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

function listenError(error: NodeJS.ErrnoException, where: ListenOptions): FulcrumError {
  const address = where.path ?? `port ${where.port}`;
  if (error.code === 'EADDRINUSE') {
    return new FulcrumError(
      'port-in-use',
      `The admin API cannot listen on ${address}: something else does. End it, or choose another port.`,
      { cause: error, details: { port: where.port ?? null } },
    );
  }
  return new FulcrumError('internal', `The admin API cannot listen on ${address}: ${error.message}.`, {
    cause: error,
  });
}

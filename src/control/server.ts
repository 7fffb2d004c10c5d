import { getRequestListener, RequestError } from '@hono/node-server';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { FulcrumError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { TokenStore } from '../model/access-token.ts';
import type { AuditStore } from '../model/audit-store.ts';
import { allowedAuthorities } from './access.ts';
import type { Transport } from './api.ts';
import { Auditor } from './auditor.ts';
import { Doorkeeper } from './doorkeeper.ts';
import type { HostPort } from './host-port.ts';
import { PageLinks } from './page-links.ts';
import { problemResponse } from './problem.ts';
import { allRoutes } from './routes/index.ts';
import type { SecretsPort } from './secrets-port.ts';
import { buildSite } from './site.ts';
import { assertSocketPathFits } from './socket-path.ts';
import { TokenBook } from './token-book.ts';

const HEADERS_TIMEOUT_MS = 10_000;
/** For an upload to arrive in full; what is read whole has less time, see `request-body.ts`. How long the answer takes is not bounded by it. */
const REQUEST_TIMEOUT_MS = 3_600_000;
const MAX_CONNECTIONS = 256;
const MAX_HEADER_BYTES = 16 * 1024;
/** What is in flight may finish for so long once the server closes. */
const CLOSE_GRACE_MS = 1_000;

export interface ControlServerOptions {
  readonly host: HostPort;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A token of this start alone, admin, which `link` carries and a browser's session begins with; null: none. */
  readonly ownToken: string | null;
  /** Null: only the socket and `ownToken` open the door. */
  readonly tokens: TokenStore | null;
  readonly audit: AuditStore | null;
  readonly secrets: SecretsPort | null;
  /** `Host` values (`admin.example.com`, `10.0.0.5:8081`) that are ours too, behind a tunnel or proxy that someone has set up. */
  readonly allowedHosts?: readonly string[];
}

export interface ControlListenOptions {
  /** 0: the system chooses. Null: no HTTP. */
  readonly httpPort: number | null;
  /** A socket that listens already, from whoever started us or from the server before us: instead of the port. */
  readonly httpFd?: number | undefined;
  /** Loopback, unless its operator chooses to serve it elsewhere; then names are allowed by `allowedHosts`. */
  readonly host: string;
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
    const { host, clock, logger, ownToken, audit, secrets } = options;
    const tokens = options.tokens === null ? null : new TokenBook({ store: options.tokens, clock, logger });
    const links = new PageLinks(clock);
    this.#site = buildSite({
      host,
      clock,
      logger,
      ownToken,
      links,
      routes: allRoutes({ host, clock, closing: this.#closing.signal, tokens, audit, secrets, links }),
      doorkeeper: new Doorkeeper({ ownToken, tokens, clock }),
      auditor: new Auditor(audit, clock, logger),
      authorities: () => this.#authorities,
    });
  }

  /** Throws `port-in-use`, or `internal` where the address cannot be listened on for another reason; then nothing listens. */
  async listen(options: ControlListenOptions): Promise<ControlAddresses> {
    try {
      const { httpFd, httpPort } = options;
      if (httpFd !== undefined || httpPort !== null) {
        const where = httpFd === undefined ? { port: httpPort!, host: options.host } : { fd: httpFd };
        const address = await this.#listen('http', where);
        const { port } = address as AddressInfo;
        this.#authorities = allowedAuthorities(port, this.#options.allowedHosts);
        this.#url = `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`;
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

  /** What listens for HTTP, to be passed on to a successor; null where nothing does. */
  get httpServer(): Server | null {
    return this.#servers.find((server) => typeof server.address() === 'object' && server.listening) ?? null;
  }

  /** The link for a person; it carries the token. Null where there is no HTTP, or no such token. */
  get link(): string | null {
    const { ownToken } = this.#options;
    return this.#url === null || ownToken === null
      ? null
      : `${this.#url}/?token=${encodeURIComponent(ownToken)}`;
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

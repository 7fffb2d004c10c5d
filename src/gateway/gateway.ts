import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { AppTable } from './app-table.ts';
import { ByteRoom } from './byte-room.ts';
import { Connection } from './connection.ts';
import { Connections } from './connections.ts';
import { dispatch } from './dispatch.ts';
import { Exchange } from './exchange.ts';
import { HostNames } from './host-names.ts';
import { Http2Session } from './http2/session.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { ListeningSocket } from './listening-socket.ts';
import { Redirect } from './redirect.ts';
import { refuseMalformed } from './refuse-malformed.ts';
import { Certificates } from './tls/certificates.ts';
import { TlsDoor } from './tls/tls-door.ts';
import { hstsLine } from './tls/hsts.ts';
import { TrustedProxies } from './trusted-proxies.ts';
import { Upgrade } from './upgrade.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { LogSink } from '../model/log.ts';
import type { GatewayApp } from './app-table.ts';
import type { ConnectionHandler } from './connection.ts';
import type { SessionHandler } from './http2/session.ts';
import type { GatewayLimits } from './limits.ts';
import type { ListenAt } from './listening-socket.ts';
import type { GatewayParts } from './parts.ts';
import type { CertificateFiles } from './tls/certificate.ts';
import type { HstsSettings } from './tls/hsts.ts';

export interface GatewayOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gets one line for each request that is for no app; the others go to their release's. */
  readonly log: LogSink;
  /** What is left out has its default: {@link DEFAULT_LIMITS}. */
  readonly limits?: Partial<GatewayLimits>;
  /** Development: answers carry `Server-Timing`, and problem documents tell what the component did wrong. */
  readonly serverTiming: boolean;
  /**
   * Addresses or CIDR blocks of what stands in front of all apps. Their word counts for which app a request is for, and each may open as
   * many connections as it likes. What an app trusts besides counts for that app alone.
   */
  readonly trustedProxies: readonly string[];
}

export interface TlsListening {
  readonly at: ListenAt;
  /** The first is shown to clients that name no host, or one that none is for. */
  readonly certificates: readonly CertificateFiles[];
  /** Null: browsers are not told to come by https only. */
  readonly hsts: HstsSettings | null;
}

export interface Listening {
  /** Which the system chose, where it was asked to. */
  readonly port: number;
  readonly url: string;
}

/** How clients come in: over plain HTTP, over TLS, or over plain HTTP to be sent on to TLS. */
export type DoorKind = 'http' | 'https' | 'redirect';

interface Door {
  readonly kind: DoorKind;
  readonly listening: ListeningSocket;
  readonly tls: { readonly door: TlsDoor; readonly certificates: Certificates } | null;
}

/** HTTP in: takes requests, finds the app and component that each is for, and carries the answers back. */
export class Gateway {
  readonly #parts: GatewayParts;
  readonly #connections: Connections;
  readonly #doors: Door[] = [];
  #apps = new AppTable([], null);

  /** Throws `config-invalid` where a trusted proxy is no address. Until `setApps` no app is found. */
  constructor({ clock, logger, log, limits, serverTiming, trustedProxies }: GatewayOptions) {
    const allLimits = { ...DEFAULT_LIMITS, ...limits };
    this.#parts = {
      clock,
      logger,
      log,
      limits: allLimits,
      gathered: new ByteRoom(allLimits.maxGatheredBytes),
      hosts: new HostNames(),
      proxies: new TrustedProxies(trustedProxies),
      dev: serverTiming,
    };
    this.#connections = new Connections({
      limits: this.#parts.limits,
      clock,
      logger,
      trusts: (address) => this.#parts.proxies.trusts(address),
    });
  }

  /**
   * Serves `apps`, and nothing else, from the next request on; requests in flight end under the release that they came to. A release that
   * was served before, the same object, is not made ready again. Throws `config-invalid` where a release trusts what is no address, and
   * `conflict` where two apps claim the same host and prefix; then nothing has changed.
   */
  setApps(apps: readonly GatewayApp[]): void {
    this.#apps = new AppTable(apps, this.#apps);
  }

  /** Open connections, WebSockets among them. */
  get connections(): number {
    return this.#connections.count;
  }

  /** The sockets that are listened on, to be sent to a process that takes them over (`subprocess.send(message, server)`). */
  get listening(): readonly { readonly kind: DoorKind; readonly server: Server }[] {
    return this.#doors.map(({ kind, listening }) => ({ kind, server: listening.server }));
  }

  /** Plain HTTP. Rejects with `port-in-use`, and `config-invalid` for a file descriptor that is no socket. */
  async listen(at: ListenAt): Promise<Listening> {
    return this.#open('http', at, this.#handler(null, ''), null);
  }

  /**
   * Plain HTTP that sends clients on to https, but for challenges of certificate authorities, and requests that a trusted proxy says were
   * made over https. Rejects as `listen` does.
   * @param httpsPort as clients see it.
   */
  async listenRedirect(at: ListenAt, httpsPort: number): Promise<Listening> {
    const handler = { ...this.#handler(new Redirect(httpsPort), ''), upgrade: null };
    return this.#open('redirect', at, handler, null);
  }

  /**
   * HTTP/1.1 and HTTP/2 over TLS. Rejects as `listen` does, and with `certificate-invalid`, which names the file and the reason.
   */
  async listenTls({ at, certificates: files, hsts }: TlsListening): Promise<Listening> {
    const { clock, logger, limits } = this.#parts;
    const certificates = await Certificates.load(files, {
      clock,
      logger,
      changed: () => door.useCertificates(),
    });
    const handler = this.#handler(null, hstsLine(hsts));
    const door = new TlsDoor({
      certificates,
      connections: this.#connections,
      limits,
      clock,
      opened: (socket, protocol) => this.#secured(socket, protocol, handler),
    });
    return this.#open('https', at, handler, { door, certificates });
  }

  /** Loads all certificates again now. One that cannot be used leaves the old one in place, and is logged. */
  async reloadCertificates(): Promise<void> {
    for (const { tls } of this.#doors) await tls?.certificates.reload();
  }

  /**
   * Leaves the listening sockets to whoever else has them, and every connection with its next answer, so that no request fails: clients
   * of HTTP/1 are told `Connection: close`, those of HTTP/2 that no new request is taken, once they can have heard of it. Connections that
   * are idle stay until `idleMs` have passed, for a client may be about to ask. Resolves then; requests in flight go on until `close`.
   */
  async releaseListening(idleMs: number): Promise<void> {
    this.#closeDoors();
    await this.#connections.leave(idleMs);
  }

  /** Accepts no more, ends what is in flight within `drainMs`, then cuts what is left, WebSockets too. */
  async close(drainMs: number): Promise<void> {
    this.#closeDoors();
    await this.#connections.close(drainMs);
  }

  #closeDoors(): void {
    for (const { listening, tls } of this.#doors) {
      listening.close();
      tls?.door.close();
      tls?.certificates.close();
    }
  }

  async #open(
    kind: DoorKind,
    at: ListenAt,
    handler: ConnectionHandler & SessionHandler,
    tls: Door['tls'],
  ): Promise<Listening> {
    const listening = new ListeningSocket({
      allowHalfOpen: tls === null,
      accept: tls === null ? (socket) => this.#accept(socket, handler) : (socket) => tls.door.accept(socket),
    });
    try {
      const { port, host } = await listening.listen(at);
      this.#doors.push({ kind, listening, tls });
      return { port, url: `${tls === null ? 'http' : 'https'}://${shownHost(host)}:${port}` };
    } catch (error) {
      tls?.door.close();
      tls?.certificates.close();
      throw error;
    }
  }

  #accept(socket: Socket, handler: ConnectionHandler): void {
    if (!this.#connections.admit(socket)) return;
    const { clock, limits } = this.#parts;
    this.#connections.add(new Connection(socket, clock, limits, handler));
  }

  #secured(
    socket: TLSSocket,
    protocol: 'h2' | 'http/1.1',
    handler: ConnectionHandler & SessionHandler,
  ): void {
    const { clock, limits } = this.#parts;
    const Kind = protocol === 'h2' ? Http2Session : Connection;
    this.#connections.add(new Kind(socket, clock, limits, handler));
  }

  /** @param lines field lines that every answer carries. */
  #handler(redirect: Redirect | null, lines: string): ConnectionHandler & SessionHandler {
    const parts = this.#parts;
    return {
      request: (stream, head) => {
        const exchange = new Exchange(parts, stream, head);
        exchange.lines = lines;
        dispatch(parts, this.#apps, stream, exchange, redirect);
      },
      upgrade: (connection, head, socket, early) => {
        void new Upgrade(parts, connection, head, socket, early).serve(this.#apps);
      },
      malformed: (on, error) => refuseMalformed(parts, on, error),
      closed: (connection) => this.#connections.remove(connection),
    };
  }
}

/** A host that can be opened in a browser where the gateway listens on every address. */
function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:tls';
import type { Socket } from 'node:net';
import type { Server, TlsOptions, TLSSocket } from 'node:tls';
import type { Clock, Timer } from '../../base/clock.ts';
import { TLS_SETTINGS } from './certificate.ts';
import { Handshake } from './handshake.ts';
import type { Connections } from '../connections.ts';
import type { GatewayLimits } from '../limits.ts';
import type { Certificates } from './certificates.ts';

export interface TlsDoorOptions {
  readonly certificates: Certificates;
  readonly connections: Connections;
  readonly limits: GatewayLimits;
  readonly clock: Clock;
  /** A client that has come through: its connection is its own from here on, and must be added to the others. */
  readonly opened: (socket: TLSSocket, protocol: 'h2' | 'http/1.1') => void;
}

const TICKET_KEY_BYTES = 48;
/** Whoever gets hold of a ticket key can read what was said under it over TLS 1.2: so much, and no more. */
const TICKET_KEY_MS = 12 * 60 * 60 * 1_000;

/** Does the handshakes: shows each client the certificate of the host that it names, and agrees on what is spoken. */
export class TlsDoor {
  readonly #options: TlsDoorOptions;
  readonly #server: Server;
  readonly #timer: Timer;
  /** By the two addresses and ports, which no two connections share: Node does not tell of what an encrypted socket was made. */
  readonly #handshakes = new Map<string, Handshake>();

  constructor(options: TlsDoorOptions) {
    this.#options = options;
    const { certificates, limits, clock } = options;
    this.#server = createServer({
      ...settingsOf(certificates),
      ALPNProtocols: ['h2', 'http/1.1'],
      SNICallback: (name, done) => done(null, certificates.for(name).context),
      handshakeTimeout: limits.headersTimeoutMs,
      ticketKeys: randomBytes(TICKET_KEY_BYTES),
    });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    // What goes wrong in a handshake is the client's affair: it is told by the protocol itself.
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy());
    this.#timer = clock.every(TICKET_KEY_MS, () => this.#server.setTicketKeys(randomBytes(TICKET_KEY_BYTES)));
  }

  /** The certificates have changed: from the next handshake on they are shown. */
  useCertificates(): void {
    const ticketKeys = this.#server.getTicketKeys();
    this.#server.setSecureContext({ ...settingsOf(this.#options.certificates), ticketKeys });
  }

  accept(socket: Socket): void {
    const { connections } = this.#options;
    if (!connections.admit(socket)) return;
    const key = keyOf(socket);
    const handshake = new Handshake(socket);
    this.#handshakes.set(key, handshake);
    connections.add(handshake);
    socket.once('close', () => {
      if (this.#handshakes.get(key) === handshake) this.#handshakes.delete(key);
      connections.remove(handshake);
    });
    this.#server.emit('connection', socket);
  }

  close(): void {
    this.#timer.cancel();
  }

  #secured(socket: TLSSocket): void {
    const key = keyOf(socket);
    const handshake = this.#handshakes.get(key);
    if (handshake === undefined) return void socket.destroy();
    this.#handshakes.delete(key);
    const { connections, opened } = this.#options;
    opened(socket, socket.alpnProtocol === 'h2' ? 'h2' : 'http/1.1');
    // Behind it: with nobody there in between, whoever waits for the last to leave would be told too early.
    connections.remove(handshake);
  }
}

/** For clients that name no host: the others are shown the certificate of theirs. */
function settingsOf({ first: { cert, key } }: Certificates): TlsOptions {
  return { ...TLS_SETTINGS, cert, key };
}

function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

import type { Socket } from 'node:net';
import { peerOf } from '../connection.ts';
import type { Peer } from '../admission.ts';
import type { ClientConnection } from '../client-connection.ts';

/** A connection on which TLS is still agreed on. It has its time for that from Node, and asks for nothing yet. */
export class Handshake implements ClientConnection {
  readonly peer: Peer;
  readonly idleSinceMs = null;
  readonly pendingBytes = 0;
  readonly stalledSinceMs = 0;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.peer = peerOf(socket);
  }

  watch(): void {}

  /** What comes of it ends with its first answer. */
  announceEnd(): void {}

  close(): void {
    this.#socket.destroy();
  }

  cutStalled(): void {
    this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

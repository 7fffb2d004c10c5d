import type { WebSocket } from 'ws';
import type { ComponentWebSocket } from '../../sdk/handler-types.ts';

/** What waits to be sent before `send` says that it is enough. */
const FULL_BYTES = 256 * 1024;

const STATES = ['connecting', 'open', 'closing', 'closed'] as const;

/** A client's WebSocket as the author's hooks see it. */
export class ComponentSocket implements ComponentWebSocket {
  readonly #webSocket: WebSocket;
  #isFull = false;

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
  }

  get state(): ComponentWebSocket['state'] {
    return STATES[this.#webSocket.readyState];
  }

  get protocol(): string {
    return this.#webSocket.protocol;
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  send(data: string | Uint8Array | ArrayBuffer): boolean {
    if (this.#webSocket.readyState !== 1) return false;
    this.#webSocket.send(data);
    if (this.bufferedBytes <= FULL_BYTES) return true;
    this.#isFull = true;
    return false;
  }

  ping(): void {
    if (this.#webSocket.readyState === 1) this.#webSocket.ping();
  }

  close(code = 1_000, reason = ''): void {
    this.#webSocket.close(code, reason);
  }

  /** Whether `send` has said that it is enough, and all of it has been sent since. */
  takeDrained(): boolean {
    const was = this.#isFull && this.bufferedBytes === 0;
    if (was) this.#isFull = false;
    return was;
  }
}

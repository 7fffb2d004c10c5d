import { Agent, type ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FulcrumError } from '../../base/errors.ts';
import type { Address } from './probe.ts';

/** Bytes of a response's head; longer ones are refused. */
export const MAX_HEAD_BYTES = 64 * 1024;

/** How an exchange or a tunnel sees the program behind it. */
export interface Upstream {
  readonly component: string;
  readonly address: Address;
  readonly agent: Agent;
  /** Whether the instance has been told to go. */
  readonly draining: boolean;
  /** Waits a moment for the process' end, which comes behind its connections'. Null where it lives on. */
  crashed(): Promise<FulcrumError | null>;
}

/**
 * Connections unused for this long are closed by us. Servers close idle ones too (the earliest in the field after two
 * seconds), and a request that crosses such a close is lost; a POST could not even be sent again.
 */
const IDLE_MS = 1_000;
const MAX_IDLE = 64;

/** Keeps a program's connections for a moment, for the next request. */
export class UpstreamAgent extends Agent {
  constructor() {
    super({ keepAlive: true, maxFreeSockets: MAX_IDLE });
  }

  override keepSocketAlive(socket: Duplex): boolean {
    // False where the program announces a life too short (`Keep-Alive: timeout=1`); Node's types do not tell of it.
    const keep = super.keepSocketAlive(socket) as unknown;
    if (keep === false) return false;
    (socket as Socket).setTimeout(IDLE_MS);
    return true;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    super.reuseSocket(socket, request);
    (socket as Socket).setTimeout(0);
  }
}

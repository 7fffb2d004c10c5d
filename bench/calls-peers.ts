import type { Order } from './calls-app/measure.ts';
import type { ValueName } from './calls-app/values.ts';

/** What the caller of a peer is asked for. */
export interface PeerOrder extends Order {
  readonly value: ValueName;
  /** Over HTTP: with which client. */
  readonly client?: 'fetch' | 'node:http';
}

export interface PeerHello {
  /** Where a callee listens; 0 of a caller. */
  readonly port: number;
}

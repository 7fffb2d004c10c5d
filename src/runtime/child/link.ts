import type { WireConnection } from '../wire/connection.ts';

/** The way to the server. A process that was forked from one with the module loaded has another one than that had. */
export interface Link {
  connection: WireConnection;
}

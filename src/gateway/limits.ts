/** What a client may take of the gateway. Each is a bound that no request, however slow or large, gets past. */
export interface GatewayLimits {
  /** Request line and header fields together; more is 431. */
  readonly headerBytes: number;
  /** Header fields; more is 431. */
  readonly headerCount: number;
  /** From a request's first byte to its last header field; later is 408. */
  readonly headersTimeoutMs: number;
  /** Between two pieces of a request's body while somebody wants to read it; longer is 408. */
  readonly bodyIdleMs: number;
  /** How long a connection may stay open between two requests. */
  readonly keepAliveMs: number;
  /** How long a client may leave a full buffer untouched before its connection is cut. */
  readonly stalledClientMs: number;
  /** How long a request's unread rest is still taken and thrown away, so that the client can read the answer. */
  readonly lingerMs: number;
  /** Requests in flight on one connection; one more is refused with 503. */
  readonly maxPipelined: number;
  /** Connections open at once; one more is closed unanswered. */
  readonly maxConnections: number;
}

/** 16 KB and 65 s are Node's own defaults (the second outlasts the 60 s that load balancers commonly keep a connection). */
export const DEFAULT_LIMITS: GatewayLimits = {
  headerBytes: 16 * 1024,
  headerCount: 256,
  headersTimeoutMs: 10_000,
  bodyIdleMs: 30_000,
  keepAliveMs: 65_000,
  stalledClientMs: 60_000,
  lingerMs: 2_000,
  maxPipelined: 32,
  maxConnections: 10_000,
};

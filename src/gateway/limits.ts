/** What a client may take of the gateway. Each is a bound that no request, however slow or large, gets past. */
export interface GatewayLimits {
  /** Request line and header fields together; more is 431, or 414 where it is the request line. */
  readonly headerBytes: number;
  /** Header fields; more is 431. */
  readonly headerCount: number;
  /** From a request's first byte, or a connection's beginning, to its last header field; later is 408. */
  readonly headersTimeoutMs: number;
  /** Between two pieces of a request's body while somebody wants to read it; longer is 408. */
  readonly bodyIdleMs: number;
  /** What a client must send of a body that is wanted, and take of an answer, on the whole; slower is 408, or a cut answer. */
  readonly minBytesPerS: number;
  /** How long a transfer may be slower than that: connections begin slowly. */
  readonly minRateGraceMs: number;
  /** How long a connection may stay open between two requests. */
  readonly keepAliveMs: number;
  /** How long a client may leave a full buffer untouched before its connection is cut. */
  readonly stalledClientMs: number;
  /** How long a request's unread rest is still taken and thrown away, so that the client can read the answer. */
  readonly lingerMs: number;
  /** Connections open at once. One more takes the place of one that is idle between requests, or is closed unanswered. */
  readonly maxConnections: number;
  /** Connections open at once from one address (of IPv6: one /64), trusted proxies excepted; one more is closed unanswered. */
  readonly maxConnectionsPerClient: number;
  /**
   * Bytes of answers that clients have not taken, and over HTTP/2 of bodies that nobody has read yet, all together. Beyond it those that
   * have waited longest are cut.
   */
  readonly maxPendingBytes: number;
  /**
   * Bytes of requests' bodies that are read whole before anything is done with them, all together: events, and what is asked for
   * asynchronously. Whoever sends more is told to come again.
   */
  readonly maxGatheredBytes: number;
  /** Requests that a connection of HTTP/2 may have open at once; the client is told, and one more is refused. */
  readonly maxStreams: number;
  /** Requests that such a connection may take back in a burst, and in each second after it; one more ends the connection. */
  readonly streamResetBurst: number;
  readonly streamResetsPerS: number;
}

/**
 * 16 KB and 65 s are Node's own defaults (the second outlasts the 60 s that load balancers commonly keep a connection); the
 * resets are nghttp2's own; the
 * minimum rate is of the size that Apache (500 B/s) and Kestrel (240 B/s) ask for.
 */
export const DEFAULT_LIMITS: GatewayLimits = {
  headerBytes: 16 * 1024,
  headerCount: 256,
  headersTimeoutMs: 10_000,
  bodyIdleMs: 30_000,
  minBytesPerS: 500,
  minRateGraceMs: 10_000,
  keepAliveMs: 65_000,
  stalledClientMs: 60_000,
  lingerMs: 2_000,
  maxConnections: 20_000,
  maxConnectionsPerClient: 2_000,
  maxPendingBytes: 256 * 1024 * 1024,
  maxGatheredBytes: 64 * 1024 * 1024,
  maxStreams: 100,
  streamResetBurst: 1_000,
  streamResetsPerS: 33,
};

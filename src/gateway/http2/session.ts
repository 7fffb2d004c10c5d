import { constants, performServerHandshake } from 'node:http2';
import type { ServerHttp2Session, ServerHttp2Stream, ServerOptions } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { asFulcrumError } from '../../base/errors.ts';
import { peerOf } from '../connection.ts';
import { ResetBudget } from './reset-budget.ts';
import { readStreamHead } from './stream-head.ts';
import { Http2RequestStream } from './stream.ts';
import type { Clock } from '../../base/clock.ts';
import type { FulcrumError } from '../../base/errors.ts';
import type { Peer } from '../admission.ts';
import type { ClientConnection } from '../client-connection.ts';
import type { Head } from '../http1/request-reader.ts';
import type { GatewayLimits } from '../limits.ts';
import type { RequestStream } from '../request-stream.ts';

/** What becomes of what arrives on a session. */
export interface SessionHandler {
  /** A request's head. Whoever serves it says so by `serve`, before this returns. */
  request(stream: RequestStream, head: Head): void;
  /** What arrived is no request: one answer is owed. */
  malformed(stream: Http2RequestStream, error: FulcrumError): void;
  closed(session: Http2Session): void;
}

/**
 *   open ──close()──▶ closing (GOAWAY with the last stream) ──its streams are over──▶ gone
 *     └───────────────────────────── cut ───────────────────────────────────────────────▶ gone
 */
type SessionState = 'open' | 'closing' | 'gone';

/** What a client may send before it is read, for each stream. All connections together are held to `maxPendingBytes`. */
const WINDOW_BYTES = 256 * 1024;
const SESSION_WINDOW_BYTES = 1024 * 1024;
/** Above what all its streams can hold at once: past it new ones are reset. It is `maxPendingBytes` that bounds the memory of all. */
const MEMORY_MB = 128;

/** One client's connection that speaks HTTP/2: many requests at a time, each a stream. */
export class Http2Session implements ClientConnection {
  readonly peer: Peer;
  readonly #socket: TLSSocket;
  readonly #session: ServerHttp2Session;
  readonly #clock: Clock;
  readonly #limits: GatewayLimits;
  readonly #handler: SessionHandler;
  readonly #streams = new Set<Http2RequestStream>();
  readonly #resets: ResetBudget;
  #state: SessionState = 'open';
  #sinceMs: number;
  #hasServed = false;

  constructor(socket: TLSSocket, clock: Clock, limits: GatewayLimits, handler: SessionHandler) {
    this.peer = peerOf(socket);
    this.#socket = socket;
    this.#clock = clock;
    this.#limits = limits;
    this.#handler = handler;
    this.#sinceMs = clock.monotonicMs();
    this.#resets = new ResetBudget(limits.streamResetBurst, limits.streamResetsPerS, this.#sinceMs);
    this.#session = performServerHandshake(socket, optionsOf(limits));
    this.#session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    this.#session.on('stream', (stream, _headers, _flags, raw) =>
      this.#opened(stream, raw as unknown as readonly string[]),
    );
    // What a session breaks by is told by its end.
    this.#session.on('error', () => undefined);
    socket.once('close', () => this.#closed());
  }

  get idleSinceMs(): number | null {
    return this.#streams.size === 0 ? this.#sinceMs : null;
  }

  get pendingBytes(): number {
    let bytes = 0;
    for (const stream of this.#streams) bytes += stream.pendingBytes;
    return bytes;
  }

  get stalledSinceMs(): number {
    let sinceMs = Number.POSITIVE_INFINITY;
    for (const stream of this.#streams) {
      if (stream.writer.pendingBytes > 0) sinceMs = Math.min(sinceMs, stream.stalledSinceMs);
    }
    return sinceMs;
  }

  watch(nowMs: number): void {
    for (const stream of this.#streams) stream.watch(nowMs);
    if (this.#streams.size > 0) return;
    const { keepAliveMs, headersTimeoutMs } = this.#limits;
    if (nowMs - this.#sinceMs < (this.#hasServed ? keepAliveMs : headersTimeoutMs)) return;
    // Whoever does not even take our goodbye is cut at the next look.
    if (this.#state === 'open') this.close();
    else this.destroy();
  }

  /**
   * A GOAWAY, which names the last stream that is served. A request that crosses it on its way is not, and the client knows by that that it
   * may be asked anew; Node offers no way to warn it beforehand (RFC 9113, 6.8): after a GOAWAY that names no last stream it ignores all.
   */
  announceEnd(): void {
    this.close();
  }

  close(): void {
    if (this.#state === 'closing' || this.#state === 'gone') return;
    this.#enter('closing');
    this.#sinceMs = this.#clock.monotonicMs();
    this.#session.close();
  }

  cutStalled(why: string): void {
    for (const stream of this.#streams) stream.cutStalled(why);
    this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #opened(stream: ServerHttp2Stream, raw: readonly string[]): void {
    this.#hasServed = true;
    stream.on('error', () => undefined);
    // Begun and taken back in one breath: nobody waits for it.
    if (stream.destroyed || stream.closed) return this.#taken();
    const limits = this.#limits;
    const request = new Http2RequestStream({
      stream,
      peer: this.peer,
      clock: this.#clock,
      limits,
      closed: (one, how) => this.#over(one, how),
    });
    this.#streams.add(request);
    let head: Head;
    try {
      head = readStreamHead(raw, stream.endAfterHeaders, limits);
    } catch (error) {
      this.#handler.malformed(request, asFulcrumError(error));
      return;
    }
    this.#handler.request(request, head);
  }

  #over(stream: Http2RequestStream, how: 'answered' | 'taken back'): void {
    this.#streams.delete(stream);
    if (how === 'taken back') this.#taken();
    if (this.#streams.size === 0) this.#sinceMs = this.#clock.monotonicMs();
  }

  /** Each costs us a request, and the client next to nothing (CVE-2023-44487). */
  #taken(): void {
    if (this.#state === 'gone' || this.#resets.spend(this.#clock.monotonicMs())) return;
    this.#session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #closed(): void {
    this.#enter('gone');
    this.#handler.closed(this);
  }

  #enter(state: SessionState): void {
    if (this.#state !== 'gone') this.#state = state;
  }
}

/**
 * What nghttp2 and Node hold a client to by themselves: streams at once, the size of headers (whose continuation frames nghttp2 counts
 * as well), how fast it may reset what it has begun (CVE-2023-44487), frames that are not valid, acknowledgements that it owes.
 */
function optionsOf({
  headerBytes,
  headerCount,
  maxStreams,
  streamResetBurst,
  streamResetsPerS,
}: GatewayLimits): ServerOptions {
  return {
    settings: {
      maxConcurrentStreams: maxStreams,
      initialWindowSize: WINDOW_BYTES,
      // For the client to know, with the 32 bytes that it counts for each field (RFC 9113, 6.5.2): we refuse what is more with 431, and
      // Node resets a stream whose header has more than 64 KB.
      maxHeaderListSize: headerBytes + 32 * headerCount,
    },
    maxHeaderListPairs: 2 * headerCount,
    maxSessionMemory: MEMORY_MB,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    streamResetBurst,
    streamResetRate: streamResetsPerS,
    strictSingleValueFields: false,
  };
}

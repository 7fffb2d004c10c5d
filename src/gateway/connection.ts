import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import { GivenSocket } from './given-socket.ts';
import { trimmed } from '../base/ows.ts';
import { RequestReader } from './http1/request-reader.ts';
import { ResponseWriter } from './http1/response-writer.ts';
import { TransferWatch } from './transfer-watch.ts';
import { plainAddress } from './trusted-proxies.ts';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Duplex } from 'node:stream';
import { adoptedSocket } from '../base/adopted-socket.ts';
import type { Clock } from '../base/clock.ts';
import type { Peer } from './admission.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Head, ReaderSink } from './http1/request-reader.ts';
import type { GatewayLimits } from './limits.ts';
import type { RequestStream, Served } from './request-stream.ts';

/** What becomes of what arrives on a connection. */
export interface ConnectionHandler {
  /** A request's head. Whoever serves it says so by `serve`, before this returns. */
  request(stream: RequestStream, head: Head): void;
  /** A request to become something else; the socket is given away, with what came behind the head. Null: such a wish is passed over. */
  readonly upgrade: ((connection: Connection, head: Head, socket: Duplex, early: Buffer) => void) | null;
  /** What arrived is no request: one answer is owed. */
  malformed(connection: Connection, error: FulcrumError): void;
  closed(connection: ClientConnection): void;
}

/**
 *   waiting ──head──▶ serving ──answered()──▶ answered ──request whole, answer taken──▶ waiting …
 *      │                 │                        └── or it was to be the last ──▶ lingering
 *      │                 └──upgrade──▶ upgraded
 *      └──nothing came, or no request ──▶ lingering (FIN sent; input thrown away) ──▶ gone
 *
 * From every state the socket's close leads to `gone`.
 */
export type ConnectionState = 'waiting' | 'serving' | 'answered' | 'upgraded' | 'lingering' | 'gone';

/** Upgrades that clients offer without being asked, and that a server may pass over (RFC 9110, 7.8). */
const IGNORED_UPGRADES: ReadonlySet<string> = new Set(['h2c', 'h2', 'tls/1.0', 'tls/1.2', 'tls/1.3']);
/** Of a body that nobody wants, so much is taken for the connection's sake; where more is to come, it ends. */
const MAX_DISCARD_BYTES = 64 * 1024;

/** For all connections: what was read is dealt with before anything else is read. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** One client's connection: requests in, one after the other, answers out, and never longer than its limits allow. */
export class Connection implements ReaderSink, ClientConnection, RequestStream {
  readonly socket: Socket;
  /** Kept, for a closed socket does not tell it any more. */
  readonly peer: Peer;
  readonly writer: ResponseWriter;
  readonly #clock: Clock;
  readonly #limits: GatewayLimits;
  readonly #handler: ConnectionHandler;
  readonly #reader: RequestReader;
  readonly #output: TransferWatch;
  #state: ConnectionState = 'waiting';
  /** When it came to be `waiting`, got the first byte of a head there, or was `answered` and its body given up. */
  #sinceMs: number;
  #hasServed = false;
  #served: Served | null = null;
  #upgrade: Head | null = null;
  /** Set once it was upgraded: whoever it was given to reads what comes. */
  #given: GivenSocket | null = null;
  /**
   * What becomes of it after the present answer. `announce`: the next answer whose head is still to be written says that it is the last;
   * until then it stays, for a client that has not been told may ask again at any moment.
   */
  #then: 'next' | 'announce' | 'close' = 'next';
  #discards = false;
  #discardedBytes = 0;

  constructor(accepted: Socket, clock: Clock, limits: GatewayLimits, handler: ConnectionHandler) {
    // What TLS has deciphered is in memory of its own already.
    const adopted =
      accepted instanceof TLSSocket
        ? null
        : adoptedSocket(accepted, readBuffer, (bytes) => this.#received(bytes));
    const socket = adopted ?? accepted;
    this.socket = socket;
    this.peer = peerOf(socket);
    this.writer = new ResponseWriter(socket);
    this.#clock = clock;
    this.#limits = limits;
    this.#handler = handler;
    this.#reader = new RequestReader(this, limits);
    this.#output = new TransferWatch({ idleMs: limits.stalledClientMs, minBytesPerS: 0, minRateGraceMs: 0 });
    this.#sinceMs = clock.monotonicMs();
    if (adopted === null) socket.on('data', (bytes: Buffer) => this.#received(bytes));
    socket.on('end', () => this.#ended());
    socket.on('drain', () => this.#drained());
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#closed());
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get idleSinceMs(): number | null {
    return this.#state === 'waiting' && this.#reader.state === 'between' ? this.#sinceMs : null;
  }

  get pendingBytes(): number {
    return this.writer.pendingBytes;
  }

  get stalledSinceMs(): number {
    return this.#output.progressMs;
  }

  get isArriving(): boolean {
    return this.#reader.state === 'body';
  }

  serve(served: Served): void {
    this.#served = served;
  }

  get closes(): boolean {
    return this.#then !== 'next';
  }

  announceEnd(): void {
    if (this.#then === 'next') this.#then = 'announce';
  }

  close(): void {
    this.#then = 'close';
    if (this.#state === 'waiting') {
      // Whoever has begun to ask is answered, within the time that a head has.
      if (this.#reader.state === 'head') return;
      if (this.socket.writableLength === 0) this.socket.destroy();
      else this.linger();
    } else if (this.#state === 'answered') {
      this.linger();
    }
  }

  answered(): void {
    if (this.#state !== 'serving') return;
    this.#enter('answered');
    if (this.writer.pendingBytes > 0) this.#output.start(this.writer.takenBytes, this.#clock.monotonicMs());
    this.#proceed();
  }

  discardBody(served: Served): void {
    if (this.#served !== served || !this.isArriving) return;
    this.#discards = true;
    this.#sinceMs = this.#clock.monotonicMs();
    this.#flow();
  }

  hold(served: Served): void {
    if (this.#served === served) this.#hold();
  }

  flow(served: Served): void {
    if (this.#served === served) this.#flow();
  }

  watchOutput(): void {
    this.#output.start(this.writer.takenBytes, this.#clock.monotonicMs());
  }

  /** Sends what is written, tells the client that no more follows, and throws away for a while what it still sends. */
  linger(): void {
    if (this.#state === 'gone' || this.#state === 'lingering') return;
    this.#enter('lingering');
    if (this.writer.pendingBytes > 0) this.#output.start(this.writer.takenBytes, this.#clock.monotonicMs());
    this.socket.end();
    // With input unread the kernel would send a reset, and the client lose an answer that it has not read yet, such as 413.
    this.socket.resume();
    const timer = this.#clock.after(this.#limits.lingerMs, () => this.#lingered());
    this.socket.once('close', () => timer.cancel());
  }

  /** Looks at what must happen in time: heads, bodies, answers that are taken, idle connections. */
  watch(nowMs: number): void {
    const forMs = nowMs - this.#sinceMs;
    switch (this.#state) {
      case 'waiting':
        return this.#watchWaiting(forMs);
      case 'serving':
        this.#served?.watch(nowMs);
        return this.#watchOutput(nowMs);
      case 'answered':
        this.#served?.watch(nowMs);
        if (this.isArriving && this.#discards && forMs >= this.#limits.lingerMs) return this.linger();
        return this.#watchOutput(nowMs);
      case 'lingering':
        return this.#watchOutput(nowMs);
      case 'upgraded':
      case 'gone':
    }
  }

  cut(isUnending: boolean): void {
    // Over TLS an end without a word of goodbye is none.
    if (isUnending && !(this.socket instanceof TLSSocket)) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  cutStalled(why: string): void {
    this.#output.stop();
    const error = new FulcrumError('client-gone', `The client's reading of its answer ${why}.`);
    if (this.#state === 'serving') this.#served?.gone(error);
    this.socket.destroy();
  }

  head(head: Head): 'http' | 'raw' {
    this.#hasServed = true;
    if (this.#handler.upgrade !== null && isUpgrade(head)) {
      this.#upgrade = head;
      return 'raw';
    }
    this.#enter('serving');
    this.#discards = false;
    this.#discardedBytes = 0;
    if (!head.keepsAlive) this.#then = 'close';
    this.#handler.request(this, head);
    return 'http';
  }

  data(bytes: Buffer): void {
    if (this.#served?.bodyData(bytes) === true || this.#state !== 'answered') return;
    this.#discardedBytes += bytes.length;
    if (this.#discardedBytes > MAX_DISCARD_BYTES) this.linger();
  }

  whole(): void {
    this.#served?.bodyWhole();
    this.#proceed();
  }

  #received(chunk: Buffer): void {
    if (this.#state === 'lingering' || this.#state === 'gone') return;
    if (this.#given !== null) return this.#given.received(chunk);
    const before = this.#reader.state;
    this.#read(() => this.#reader.push(chunk));
    if (before === 'between' && this.#reader.state === 'head') this.#sinceMs = this.#clock.monotonicMs();
  }

  #ended(): void {
    if (this.#given !== null) return this.#given.ended();
    // Whoever has asked and ends its side is taken to have gone: nothing tells it from one that has closed both.
    if (this.#state === 'answered' || this.#state === 'lingering') this.socket.end();
    else if (this.#state === 'waiting' && this.writer.pendingBytes > 0) this.linger();
    else this.socket.destroy();
  }

  #read(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#broken(asFulcrumError(error));
      return;
    }
    if (this.#upgrade !== null) this.#giveAway(this.#upgrade);
    // What waits behind a request is bounded; the rest waits in the client.
    else if (this.#reader.state === 'held' && this.#reader.heldBytes > this.#limits.headerBytes) this.#hold();
  }

  #broken(error: FulcrumError): void {
    this.#then = 'close';
    if (this.#state === 'waiting') this.#handler.malformed(this, error);
    else if (this.#state === 'serving') this.#served?.bodyBroken(error);
    else this.linger();
  }

  #giveAway(head: Head): void {
    this.#upgrade = null;
    this.#enter('upgraded');
    this.#given = new GivenSocket(this.socket);
    this.#handler.upgrade!(this, head, this.#given, this.#reader.takeRest());
  }

  /** Goes on to what comes after an answer, as soon as that may be. */
  #proceed(): void {
    if (this.#state !== 'answered') return;
    if (this.#then === 'close') return this.linger();
    // A client that asks and asks, and reads nothing, is served no further.
    if (this.#reader.state !== 'held' || this.socket.writableNeedDrain) return;
    this.#enter('waiting');
    this.#served = null;
    this.#flow();
    this.#read(() => this.#reader.next());
  }

  #hold(): void {
    if (!this.socket.isPaused()) this.socket.pause();
  }

  #flow(): void {
    if (this.#state !== 'upgraded' && this.socket.isPaused()) this.socket.resume();
  }

  #drained(): void {
    this.#output.stop();
    if (this.#state === 'serving') this.#served?.drained();
    else this.#proceed();
  }

  #watchWaiting(forMs: number): void {
    const { headersTimeoutMs, keepAliveMs } = this.#limits;
    if (this.#reader.state === 'head') {
      if (forMs < headersTimeoutMs) return;
      this.#broken(new FulcrumError('body-timeout', 'The request header did not arrive in time.'));
    } else if (forMs >= (this.#hasServed ? keepAliveMs : headersTimeoutMs)) {
      this.socket.destroy();
    }
  }

  #watchOutput(nowMs: number): void {
    if (this.writer.pendingBytes === 0) return this.#output.stop();
    const wrong = this.#output.look(this.writer.takenBytes, nowMs);
    if (wrong !== null) this.cutStalled(wrong);
  }

  /** A client that still takes its answer has its time for that, and its own watch. */
  #lingered(): void {
    if (this.writer.pendingBytes === 0) this.socket.destroy();
    else this.socket.once('finish', () => this.socket.destroy());
  }

  #closed(): void {
    this.#enter('gone');
    this.#served?.gone(new FulcrumError('client-gone', 'The client closed the connection.'));
    this.#handler.closed(this);
  }

  #enter(state: ConnectionState): void {
    if (this.#state === 'gone') return;
    this.#state = state;
    if (state === 'waiting' || state === 'answered') this.#sinceMs = this.#clock.monotonicMs();
  }
}

function isUpgrade({ fields, minor, bodyBytes, method }: Head): boolean {
  const { upgrade, connection } = fields;
  if (upgrade === null || connection === null || minor === 0 || bodyBytes !== 0 || method === 'CONNECT')
    return false;
  if (!/(?:^|,)[ \t]*upgrade[ \t]*(?:,|$)/i.test(connection)) return false;
  return !IGNORED_UPGRADES.has(trimmed(upgrade).toLowerCase());
}

/** The other end of `socket`, which is connected. */
export function peerOf(socket: Socket): Peer {
  const { remoteAddress = '0.0.0.0', localAddress = '127.0.0.1', localPort = 80 } = socket;
  const local = plainAddress(localAddress);
  return {
    address: remoteAddress,
    proto: socket instanceof TLSSocket ? 'https' : 'http',
    view: null,
    local: local.includes(':') ? `[${local}]:${localPort}` : `${local}:${localPort}`,
  };
}

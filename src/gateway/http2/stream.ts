import { constants } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import { FulcrumError } from '../../base/errors.ts';
import { TransferWatch } from '../transfer-watch.ts';
import { StreamWriter } from './stream-writer.ts';
import type { Clock } from '../../base/clock.ts';
import type { Peer } from '../admission.ts';
import type { GatewayLimits } from '../limits.ts';
import type { RequestStream, Served } from '../request-stream.ts';

/** Of a body that nobody wants, so much is taken; where more is to come, the client is told to stop. */
const MAX_DISCARD_BYTES = 64 * 1024;

/**
 *   serving ──answered()──▶ answered ──request whole, answer taken──▶ gone
 *      └───────────────── cut, reset by the client, session gone ─────▶ gone
 */
type StreamState = 'serving' | 'answered' | 'gone';

export interface StreamOptions {
  readonly stream: ServerHttp2Stream;
  readonly peer: Peer;
  readonly clock: Clock;
  readonly limits: GatewayLimits;
  /** @param how whether the client took its request back before it was answered. */
  readonly closed: (stream: Http2RequestStream, how: 'answered' | 'taken back') => void;
}

/** One stream of HTTP/2: a request in, its answer out. */
export class Http2RequestStream implements RequestStream {
  readonly peer: Peer;
  readonly writer: StreamWriter;
  readonly #options: StreamOptions;
  readonly #output: TransferWatch;
  #state: StreamState = 'serving';
  #served: Served | null = null;
  #arrives: 'more' | 'whole';
  #then: 'keep' | 'stop' = 'keep';
  #discards = false;
  #discardedBytes = 0;
  #discardsSinceMs = 0;

  constructor(options: StreamOptions) {
    const { stream, limits } = options;
    this.#options = options;
    this.peer = options.peer;
    this.writer = new StreamWriter(stream);
    this.#output = new TransferWatch({ idleMs: limits.stalledClientMs, minBytesPerS: 0, minRateGraceMs: 0 });
    this.#arrives = stream.endAfterHeaders ? 'whole' : 'more';
    stream.on('error', () => undefined);
    stream.on('drain', () => this.#drained());
    // Where nothing comes, too: with an end that nobody reads the stream would never be over.
    stream.on('data', (bytes: Buffer) => this.#received(bytes));
    stream.once('end', () => this.#ended());
    stream.once('close', () => this.#closed());
  }

  get closes(): boolean {
    return this.#then === 'stop';
  }

  get isArriving(): boolean {
    return this.#arrives === 'more';
  }

  get stalledSinceMs(): number {
    return this.#output.progressMs;
  }

  /** What the client has not taken, and what was read of it and waits for a reader. */
  get pendingBytes(): number {
    const { stream } = this.#options;
    return this.writer.pendingBytes + stream.readableLength;
  }

  serve(served: Served): void {
    this.#served = served;
  }

  close(): void {
    this.#then = 'stop';
  }

  answered(): void {
    if (this.#state !== 'serving') return;
    this.#enter('answered');
    if (this.writer.pendingBytes > 0) this.watchOutput();
    if (this.#then === 'stop') this.#discard();
  }

  watchOutput(): void {
    this.#output.start(this.writer.takenBytes, this.#options.clock.monotonicMs());
  }

  hold(served: Served): void {
    if (this.#served === served) this.#options.stream.pause();
  }

  flow(served: Served): void {
    if (this.#served === served) this.#options.stream.resume();
  }

  discardBody(served: Served): void {
    if (this.#served === served) this.#discard();
  }

  cut(): void {
    this.#reset(constants.NGHTTP2_INTERNAL_ERROR);
  }

  watch(nowMs: number): void {
    if (this.#state === 'gone') return;
    this.#served?.watch(nowMs);
    const { lingerMs } = this.#options.limits;
    if (this.#state === 'answered' && this.#discards && nowMs - this.#discardsSinceMs >= lingerMs)
      this.#stop();
    if (this.writer.pendingBytes === 0) return this.#output.stop();
    const wrong = this.#output.look(this.writer.takenBytes, nowMs);
    if (wrong !== null) this.cutStalled(wrong);
  }

  /** Sends what is written, and takes nothing more. */
  linger(): void {
    this.close();
    this.answered();
  }

  /** Cuts the stream because the client takes nothing of its answer. */
  cutStalled(why: string): void {
    this.#output.stop();
    const error = new FulcrumError('client-gone', `The client's reading of its answer ${why}.`);
    if (this.#state === 'serving') this.#served?.gone(error);
    this.#reset(constants.NGHTTP2_CANCEL);
  }

  #received(bytes: Buffer): void {
    if (this.#served?.bodyData(bytes) === true || this.#state !== 'answered') return;
    this.#discardedBytes += bytes.length;
    if (this.#discardedBytes > MAX_DISCARD_BYTES) this.#stop();
  }

  #ended(): void {
    if (!this.isArriving) return;
    // A stream that was reset ends, too, and its body is not whole for that.
    if (this.#options.stream.aborted || this.#options.stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    this.#arrives = 'whole';
    this.#served?.bodyWhole();
  }

  #drained(): void {
    this.#output.stop();
    if (this.#state === 'serving') this.#served?.drained();
  }

  /** A little of what still comes is taken, and for a moment: not every client takes it well to be stopped. */
  #discard(): void {
    if (this.#discards || !this.isArriving) return;
    this.#discards = true;
    this.#discardsSinceMs = this.#options.clock.monotonicMs();
    this.#options.stream.resume();
  }

  /** Tells the client to send no more of its body, once it has its answer (RFC 9113, 8.1). */
  #stop(): void {
    if (this.isArriving) this.#options.stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #reset(code: number): void {
    const { stream } = this.#options;
    if (stream.destroyed) return;
    // `close` would send what waits to be written first, which a client that reads nothing never takes.
    if (!stream.closed) stream.close(code);
    stream.destroy();
  }

  #closed(): void {
    const before = this.#state;
    this.#enter('gone');
    if (before === 'serving' || this.isArriving) {
      this.#served?.gone(new FulcrumError('client-gone', 'The client closed the stream.'));
    }
    this.#options.closed(this, before === 'serving' ? 'taken back' : 'answered');
  }

  #enter(state: StreamState): void {
    if (this.#state !== 'gone') this.#state = state;
  }
}

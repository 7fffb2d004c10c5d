import type { FulcrumError } from '../../base/errors.ts';
import type { BodySource } from '../../model/body.ts';
import type { WireConnection } from './connection.ts';
import { readDone } from './done.ts';
import { FRAME } from './frames.ts';
import { MAX_REASON_BYTES } from './limits.ts';
import { PayloadBuffer } from './payload-buffer.ts';
import { protocolError } from './protocol-error.ts';
import type { StreamHandler, WireStream } from './stream.ts';

/**
 * A stream or signal that is passed to the peer.
 *
 *   open ── its source has ended, call over ──▶ ended ── DONE, connection lost ──▶ over
 *     └────────────── DONE (not wanted any more), connection lost ──────────────────▶
 */
export class ChannelOut implements StreamHandler {
  readonly context = null;
  /** Resolves when it is over. */
  readonly over: Promise<void>;
  readonly #connection: WireConnection;
  readonly #stream: WireStream;
  readonly #source: BodySource;
  readonly #onOver: () => void;
  /** Why the peer wants no more. */
  readonly #reason = new PayloadBuffer(MAX_REASON_BYTES);
  #state: 'open' | 'ended' | 'over' = 'open';

  /** @param call the stream of the call, whose BODY_END must not have been written. */
  constructor(connection: WireConnection, call: WireStream, number: number, source: BodySource) {
    this.#connection = connection;
    this.#source = source;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    this.#onOver = resolve;
    connection.channels++;
    this.#stream = connection.open();
    this.#stream.handler = this;
    const at = connection.writer.begin(FRAME.CHANNEL, 0, this.#stream.id, 6);
    connection.writer.slab.writeUInt32LE(call.id, at);
    connection.writer.slab.writeUInt16LE(number, at + 4);
    source.read({
      data: (chunk) => {
        this.#stream.write(chunk);
        if (!this.#stream.hasRoomFor(1)) source.pause();
      },
      end: () => {
        if (this.#state !== 'open') return;
        this.#state = 'ended';
        this.#stream.endBody();
      },
      fail: (error) => this.#fail(error),
    });
  }

  /** The call is over, or given up: a source that goes on is cancelled, and whoever reads is told `error`, or nothing more. */
  close(error: FulcrumError | null): void {
    if (this.#state !== 'open') return;
    this.#source.cancel();
    if (error !== null) return this.#fail(error);
    this.#state = 'ended';
    this.#stream.endBody();
  }

  data(chunk: Buffer): void {
    if (!this.#reason.push(chunk)) throw protocolError('too long a reason of why a channel is not wanted');
  }

  frame(type: number, _flags: number, payload: Buffer): void {
    if (type !== FRAME.DONE) throw protocolError(`frame of type ${type} in a channel's stream`);
    readDone(payload);
    this.#connection.forget(this.#stream);
    this.#finish(this.#reason.take());
  }

  drained(): void {
    if (this.#state === 'open') this.#source.resume();
  }

  /** The end follows, with the reason. */
  stopped(): void {}

  lost(): void {
    this.#finish(new Uint8Array(0));
  }

  #fail(error: FulcrumError): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    const { code, message } = error;
    this.#stream.dropBody();
    this.#connection.writer.json(FRAME.BODY_FAILED, 0, this.#stream.id, { code, message });
  }

  #finish(reason: Uint8Array): void {
    if (this.#state === 'over') return;
    const wasOpen = this.#state === 'open';
    this.#state = 'over';
    this.#connection.channels--;
    if (wasOpen) this.#source.cancel(reason.length === 0 ? undefined : reason);
    this.#onOver();
  }
}

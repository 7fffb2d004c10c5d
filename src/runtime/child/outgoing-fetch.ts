import type { WireConnection } from '../wire/connection.ts';
import { FLAG_BODY, FRAME } from '../wire/frames.ts';
import { readAnswer, readResponse, splitFields } from '../wire/messages.ts';
import { protocolError } from '../wire/protocol-error.ts';
import type { StreamHandler, WireStream } from '../wire/stream.ts';
import { failureOf } from './call-errors.ts';
import { LightResponse } from './fetch/light-response.ts';
import { isRedirect, mayAnswer, redirected, type OutgoingRequest } from './outgoing-request.ts';
import { RequestBody } from './request-body.ts';

/**
 * A request through a service binding at the instance's end of its stream:
 *
 *   asking ──RESPONSE──▶ answering ──DONE──▶ over
 *      ├──ANSWER────────────────────────────▶ over
 *      ├──FAILED────────────────────────────▶ over
 *      └── given up ──▶ unheard ──DONE, FAILED, ANSWER──▶ over
 *
 * `answering` may be `unheard` as well, and end with FAILED, which breaks the body off.
 */
type State = 'asking' | 'answering' | 'unheard' | 'over';

export class OutgoingFetch implements StreamHandler {
  readonly context = null;
  /** Rejects with what the callee threw, an error that carries a code of Fulcrum's, the signal's reason, or what the request's body broke off with. */
  readonly response: Promise<Response>;
  /** Resolves when the stream is over. */
  readonly over: Promise<void>;
  readonly #connection: WireConnection;
  readonly #stream: WireStream;
  readonly #request: OutgoingRequest;
  readonly #onAbort = (): void => this.#giveUp(this.#request.signal!.reason);
  readonly #resolve: (response: Response) => void;
  readonly #reject: (error: unknown) => void;
  readonly #resolveOver: () => void;
  #state: State = 'asking';
  #body: RequestBody | null = null;
  #answer: ReadableStream<Uint8Array> | null = null;
  #reader: ReadableStreamDefaultReader<unknown> | null = null;
  #onDrained: (() => void) | null = null;

  /** Sends the request, whose signal must not have aborted. @param payload its head, as a CALL has it. */
  constructor(connection: WireConnection, request: OutgoingRequest, payload: Uint8Array) {
    this.#connection = connection;
    this.#request = request;
    const response = Promise.withResolvers<Response>();
    this.response = response.promise;
    this.#resolve = response.resolve;
    this.#reject = response.reject;
    const over = Promise.withResolvers<void>();
    this.over = over.promise;
    this.#resolveOver = over.resolve;
    // Whoever sends the body is taken at its word before anything is sent.
    this.#reader = request.body?.getReader() ?? null;
    this.#stream = connection.open();
    this.#stream.handler = this;
    connection.writer.bytes(FRAME.CALL, 0, this.#stream.id, payload);
    request.signal?.addEventListener('abort', this.#onAbort);
    if (this.#reader !== null) void this.#send(this.#reader);
  }

  /** Gives it up where it has been answered and nobody has begun to read that. */
  abandon(): void {
    if (this.#state === 'answering' && this.#answer?.locked === false) this.#giveUp(undefined);
  }

  frame(type: number, flags: number, payload: Buffer): void {
    switch (type) {
      case FRAME.RESPONSE: {
        const { status, headers } = readResponse(payload);
        if (this.#state !== 'asking') return;
        const hasBody = (flags & FLAG_BODY) !== 0;
        if (hasBody) this.#body = new RequestBody(this.#stream, this.#cancel, () => lengthIn(headers));
        this.#answer = this.#body?.stream() ?? null;
        this.#answered(status, headers, this.#answer);
        return;
      }
      case FRAME.ANSWER: {
        const { status, fields, body } = readAnswer(payload);
        const hasBody = mayAnswer(this.#request.head.method, status);
        this.#end();
        if (this.#state === 'asking')
          this.#answered(status, splitFields(fields), hasBody ? Uint8Array.from(body) : null);
        this.#state = 'over';
        return;
      }
      case FRAME.BODY_END:
        return this.#body?.end();
      case FRAME.DONE:
        this.#end();
        if (this.#state === 'asking') this.#fail(protocolError('DONE without a response'));
        this.#state = 'over';
        return this.#body?.end();
      case FRAME.FAILED:
        this.#end();
        this.#fail(failureOf(payload));
        this.#state = 'over';
    }
  }

  data(chunk: Buffer): void {
    if (this.#body === null) this.#stream.consumed(chunk.length);
    else this.#body.data(chunk);
  }

  drained(): void {
    this.#onDrained?.();
  }

  /** The callee wants no more of the request's body. */
  stopped(): void {
    this.#stopSending(undefined);
  }

  lost(error: Error): void {
    this.#end();
    this.#fail(error);
    this.#state = 'over';
  }

  #answered(
    status: number,
    headers: readonly string[],
    body: ReadableStream<Uint8Array> | Uint8Array | null,
  ): void {
    const { head, refusesRedirects } = this.#request;
    if (refusesRedirects && isRedirect(status)) return this.#giveUp(redirected());
    this.#state = 'answering';
    this.#resolve(LightResponse.received(head.url, status, headers, body) as unknown as Response);
  }

  /** The author wants no more of the answer. */
  readonly #cancel = (): void => this.#giveUp(undefined);

  #giveUp(reason: unknown): void {
    if (this.#state !== 'asking' && this.#state !== 'answering') return;
    this.#fail(reason);
    this.#state = 'unheard';
    this.#stopSending(reason);
    if (this.#connection.stream(this.#stream.id) === this.#stream)
      this.#connection.writer.text(FRAME.ABORT, 0, this.#stream.id, 'client-gone');
  }

  #fail(error: unknown): void {
    if (this.#state === 'asking') this.#reject(error);
    else this.#body?.fail(error);
  }

  async #send(reader: ReadableStreamDefaultReader<unknown>): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (this.#reader === null) return;
        if (done) break;
        if (!(value instanceof Uint8Array))
          throw new TypeError('The body of the request yields something that is no Uint8Array.');
        if (!this.#stream.write(value)) await this.#drain();
      }
      this.#reader = null;
      this.#stream.endBody();
    } catch (error) {
      // Its own end of it: the callee learns it by the request's, which is given up.
      if (this.#reader !== null) this.#giveUp(error);
    }
  }

  async #drain(): Promise<void> {
    if (this.#reader === null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onDrained = resolve;
    await promise;
    this.#onDrained = null;
  }

  #stopSending(reason: unknown): void {
    const reader = this.#reader;
    this.#reader = null;
    this.#stream.dropBody();
    this.#onDrained?.();
    reader?.cancel(reason).catch(() => undefined);
  }

  /** The server has ended the stream. */
  #end(): void {
    this.#connection.forget(this.#stream);
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    this.#stopSending(undefined);
    this.#resolveOver();
  }
}

function lengthIn(headers: readonly string[]): number | null {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() === 'content-length') return Number(headers[i + 1]);
  }
  return null;
}

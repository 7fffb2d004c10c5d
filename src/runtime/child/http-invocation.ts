import { messageOf } from '../../base/errors.ts';
import type { Registered } from '../../base/registry.ts';
import type { RawHeaders } from '../../model/http.ts';
import type { WireConnection } from '../wire/connection.ts';
import { FRAME } from '../wire/frames.ts';
import { MAX_ANSWER_BODY_BYTES, MAX_HEAD_BYTES } from '../wire/limits.ts';
import { writeAnswer, writeResponse, type RequestFrame } from '../wire/messages.ts';
import type { StreamHandler, WireStream } from '../wire/stream.ts';
import type { Failure } from '../wire/thrown.ts';
import { thrownByAuthor } from './author-errors.ts';
import { giveBack, memoryFor } from './body-memory.ts';
import type { CpuMeter } from './cpu-meter.ts';
import type { WholeBody } from './fetch/light-response.ts';
import { IncomingRequest } from './fetch/incoming-request.ts';
import { BadResponse, isEventStream, mayHaveBody, readResponse } from './fetch/response-parts.ts';
import { stackOf, type InvocationScope } from './invocation.ts';
import { RequestBody } from './request-body.ts';
import { isThenable } from './thenable.ts';

/** A shorter body is copied into its frame: a buffer more in a write costs as much. */
const MIN_LENT_LENGTH = 8 * 1024;

export type FetchHandler = (request: Request, env: unknown, context: unknown) => unknown;

export interface HttpInvocationOptions {
  readonly connection: WireConnection;
  readonly stream: WireStream;
  readonly request: RequestFrame;
  readonly scope: InvocationScope;
  readonly env: unknown;
  readonly cpu: CpuMeter;
  readonly handler: FetchHandler | null;
  /** The instance is to end: an event stream that begins now ends at once. */
  readonly isDraining: () => boolean;
  /** Whether the server takes an answer that is sent whole, in one frame. */
  readonly answersWhole: boolean;
}

/** One HTTP request at the instance's end of its stream. */
export class HttpInvocation implements StreamHandler, Registered {
  registryPlace = -1;
  readonly context = null;
  readonly #options: HttpInvocationOptions;
  readonly #stream: WireStream;
  readonly #body: RequestBody | null;
  readonly #cpuMark: number;
  #reader: ReadableStreamDefaultReader<unknown> | null = null;
  #isEventStream = false;
  #bodyBegun = false;
  /** The answer, where it is sent with the stream's end. */
  #whole: {
    readonly status: number;
    readonly headers: RawHeaders;
    readonly body: string | Uint8Array;
  } | null = null;
  /** Nobody hears the answer any more, or it is an event stream that has to end. */
  #cut = false;
  #onDrained: (() => void) | null = null;
  #over: (() => void) | null = null;

  constructor(options: HttpInvocationOptions) {
    const { stream, request, connection } = options;
    this.#options = options;
    this.#stream = stream;
    stream.handler = this;
    this.#cpuMark = options.cpu.begin();
    const wanted = request.hasBody && mayHaveBody(request.method);
    const stop = (): void => void connection.writer.begin(FRAME.BODY_STOP, 0, stream.id, 0);
    this.#body = wanted ? new RequestBody(stream, stop, () => lengthIn(request.fields)) : null;
    if (request.hasBody && !wanted) stop();
  }

  /** Calls the handler; `over` is called when the stream is. Promises are made only for what takes its time. */
  run(over: () => void): void {
    this.#over = over;
    const { scope, env, handler } = this.#options;
    try {
      if (handler === null) throw new HandlerMissing();
      const input = this.#makeRequest();
      const answer: unknown = scope.run(() => handler(input, env, scope.context));
      if (isThenable(answer)) {
        answer.then(
          (value) => this.#answered(value),
          (error: unknown) => this.#end(this.#failureOf(error)),
        );
      } else {
        this.#answered(answer);
      }
    } catch (error) {
      this.#end(this.#failureOf(error));
    }
  }

  /** The instance is to end: an event stream, which would go on for ever, ends here and cleanly. */
  goAway(): void {
    if (!this.#isEventStream) return;
    this.#options.scope.abort('shutting-down');
    this.#cutShort();
  }

  frame(type: number, _flags: number, payload: Buffer): void {
    if (type === FRAME.BODY_END) this.#body?.end();
    else if (type === FRAME.BODY_FAILED) {
      this.#body?.fail(new TypeError(`The request's body broke off (${payload.toString('latin1')}).`));
    } else if (type === FRAME.ABORT) {
      const code = payload.toString('latin1');
      this.#options.scope.abort(code);
      this.#body?.fail(this.#options.scope.signal.reason);
      this.#cutShort();
    }
  }

  data(chunk: Buffer): void {
    if (this.#body === null) this.#stream.consumed(chunk.length);
    else this.#body.data(chunk);
  }

  drained(): void {
    this.#onDrained?.();
  }

  stopped(): void {
    this.#cutShort();
  }

  lost(): void {
    // The process ends with its connection.
  }

  #answered(answer: unknown): void {
    try {
      const pumping = this.#send(answer);
      if (pumping === null) return this.#end(null);
      pumping.then(
        () => this.#end(null),
        (error: unknown) => this.#end(this.#failureOf(error)),
      );
    } catch (error) {
      this.#end(this.#failureOf(error));
    }
  }

  #makeRequest(): Request {
    const { request, scope } = this.#options;
    try {
      return new IncomingRequest(request, this.#body, () => scope.signal) as unknown as Request;
    } catch (error) {
      throw new BadRequest(messageOf(error), { cause: error });
    }
  }

  /** @returns null where the answer has been sent as far as it can be; else what resolves when its body has been. */
  #send(answer: unknown): Promise<void> | null {
    const { connection, scope, request } = this.#options;
    const { status, headers, body, isSole } = readResponse(answer, request.method);
    const isStream = typeof body === 'object' && body !== null && 'getReader' in body;
    if (this.#cut) {
      if (isStream) body.cancel().catch(() => undefined);
      return null;
    }
    if (!isStream && this.#fitsInOne(headers, body)) {
      this.#whole = { status, headers, body: body ?? '' };
      return null;
    }
    if (!writeResponse(connection.writer, this.#stream.id, status, headers, body !== null)) {
      if (isStream) body.cancel().catch(() => undefined);
      throw new BadResponse('the headers of the Response that the handler returned are too large');
    }
    if (body === null) return null;
    this.#bodyBegun = true;
    if (!isStream) {
      return this.#write(body, isSole) ? null : this.#drain();
    }
    this.#isEventStream = isEventStream(headers);
    if (this.#isEventStream && this.#options.isDraining()) {
      body.cancel().catch(() => undefined);
      return null;
    }
    // Within the scope, for a stream's source is the author's code too.
    return scope.run(() => this.#pump(body));
  }

  /** @returns as {@link WireStream.write} does. */
  #write(body: string | Uint8Array, isSole: boolean): boolean {
    if (body.length < MIN_LENT_LENGTH) {
      return typeof body === 'string' ? this.#stream.writeText(body) : this.#stream.writeOwned(body);
    }
    const bytes = typeof body === 'string' ? encoded(body) : body;
    return this.#stream.lend(bytes, () => {
      if (isSole) giveBack(bytes);
    });
  }

  /** Whether the answer and the stream's end can be told in one frame: it is short, and nothing goes on behind it. */
  #fitsInOne(headers: readonly string[], body: WholeBody): boolean {
    if (!this.#options.answersWhole || this.#options.scope.waits) return false;
    const bodyBytes = body === null ? 0 : typeof body === 'string' ? body.length * 3 : body.length;
    if (bodyBytes > MAX_ANSWER_BODY_BYTES) return false;
    let fieldChars = 0;
    for (const text of headers) fieldChars += text.length + 1;
    return fieldChars < MAX_HEAD_BYTES / 2;
  }

  #end(failure: Failure | null): void {
    const { scope } = this.#options;
    if (!scope.waits) return this.#done(failure);
    // The answer is whole now; without work to wait for DONE says so too, and an answer without a body has said so itself.
    if (failure === null && this.#bodyBegun) this.#stream.endBody();
    void scope.settled().then(() => this.#done(failure));
  }

  #done(failure: Failure | null): void {
    const { connection, cpu } = this.#options;
    cpu.end(this.#cpuMark, (cpuMicros) => {
      const whole = failure === null ? this.#whole : null;
      if (whole !== null) writeAnswer(connection.writer, this.#stream.id, { ...whole, cpuMicros });
      else if (failure === null) connection.writer.number(FRAME.DONE, this.#stream.id, cpuMicros);
      else connection.writer.json(FRAME.FAILED, 0, this.#stream.id, { ...failure, cpuMicros });
      connection.forget(this.#stream);
      this.#body?.fail(new TypeError('The request is over; its body can no longer be read.'));
      this.#over?.();
    });
  }

  async #pump(body: ReadableStream<unknown>): Promise<void> {
    const reader = body.getReader();
    this.#reader = reader;
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.#cut) return;
      if (!ArrayBuffer.isView(value)) {
        reader.cancel().catch(() => undefined);
        throw new BadResponse(
          'the body of the Response that the handler returned yields something that is no Uint8Array',
        );
      }
      const bytes =
        value instanceof Uint8Array
          ? value
          : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      if (!this.#stream.writeOwned(bytes)) await this.#drain();
    }
  }

  async #drain(): Promise<void> {
    if (this.#cut) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onDrained = resolve;
    await promise;
    this.#onDrained = null;
  }

  #cutShort(): void {
    this.#cut = true;
    this.#reader?.cancel(this.#options.scope.signal.reason).catch(() => undefined);
    this.#onDrained?.();
  }

  #failureOf(error: unknown): Failure {
    const { scope } = this.#options;
    if (error instanceof HandlerMissing) {
      return failure(
        'handler-missing',
        'The component has no `fetch` handler, so it cannot answer HTTP requests.',
      );
    }
    if (error instanceof BadRequest) {
      return failure('bad-request', `The request cannot be given to the handler: ${error.message}`);
    }
    if (error instanceof BadResponse) {
      scope.report(`Bad response: ${error.message}.`);
      return failure('bad-response', `The component gave no valid response: ${error.message}.`);
    }
    // Handlers that pass the abort on do as they should; what another component has asked for is that one's to log, or to handle.
    const isPassedOn = scope.signal.aborted && error === scope.signal.reason;
    if (!isPassedOn && this.#options.request.trigger !== 'call') scope.report(stackOf(error));
    const thrown = thrownByAuthor(error);
    return {
      code: 'handler-error',
      message: `The handler threw ${thrown.name}: ${thrown.message}`,
      thrown,
      cpuMicros: 0,
    };
  }
}

/** The length that a request's fields tell of its body. */
function lengthIn(fields: string): number | null {
  const told = /(?:^|\0)content-length\0(\d+)(?:\0|$)/i.exec(fields)?.[1];
  return told === undefined ? null : Number(told);
}

function encoded(text: string): Uint8Array {
  const memory = memoryFor(Buffer.byteLength(text));
  memory.write(text);
  return memory;
}

class HandlerMissing extends Error {}
class BadRequest extends Error {}

function failure(code: Failure['code'], message: string): Failure {
  return { code, message, thrown: null, cpuMicros: 0 };
}

import { messageOf } from '../../base/errors.ts';
import type { WireConnection } from '../wire/connection.ts';
import { FRAME } from '../wire/frames.ts';
import { writeResponse, type RequestFrame } from '../wire/messages.ts';
import type { StreamHandler, WireStream } from '../wire/stream.ts';
import { toThrown, type Failure } from '../wire/thrown.ts';
import type { CpuMeter } from './cpu-meter.ts';
import {
  BadResponse,
  isEventStream,
  makeRequest,
  mayHaveBody,
  readResponse,
  type ResponseParts,
} from './fetch-objects.ts';
import { stackOf, type InvocationScope } from './invocation.ts';
import { RequestBody } from './request-body.ts';

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
}

/** One HTTP request at the instance's end of its stream. */
export class HttpInvocation implements StreamHandler {
  readonly context = null;
  readonly #options: HttpInvocationOptions;
  readonly #stream: WireStream;
  readonly #body: RequestBody | null;
  readonly #cpuMark: number;
  #reader: ReadableStreamDefaultReader<unknown> | null = null;
  #isEventStream = false;
  #bodyBegun = false;
  /** Nobody hears the answer any more, or it is an event stream that has to end. */
  #cut = false;
  #onDrained: (() => void) | null = null;

  constructor(options: HttpInvocationOptions) {
    const { stream, request, connection } = options;
    this.#options = options;
    this.#stream = stream;
    stream.handler = this;
    this.#cpuMark = options.cpu.begin();
    const wanted = request.hasBody && mayHaveBody(request.method);
    const stop = (): void => void connection.writer.begin(FRAME.BODY_STOP, 0, stream.id, 0);
    this.#body = wanted ? new RequestBody(stream, stop) : null;
    if (request.hasBody && !wanted) stop();
  }

  /** Resolves, never rejects, when the stream is over. */
  async run(): Promise<void> {
    let failure: Failure | null = null;
    try {
      await this.#answer();
    } catch (error) {
      failure = this.#failureOf(error);
    }
    const { connection, scope, cpu } = this.#options;
    // The answer is whole now; without work to wait for DONE says so too, and an answer without a body has said so itself.
    if (failure === null && scope.waits && this.#bodyBegun) this.#stream.endBody();
    await scope.settled();
    const cpuMicros = cpu.end(this.#cpuMark);
    if (failure === null) connection.writer.number(FRAME.DONE, this.#stream.id, cpuMicros);
    else connection.writer.json(FRAME.FAILED, 0, this.#stream.id, { ...failure, cpuMicros });
    connection.forget(this.#stream);
    this.#body?.fail(new TypeError('The request is over; its body can no longer be read.'));
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

  async #answer(): Promise<void> {
    const { request, scope, env, handler } = this.#options;
    if (handler === null) throw new HandlerMissing();
    const input = this.#makeRequest();
    const answer: unknown = await scope.run(() => handler(input, env, scope.context));
    const parts = readResponse(answer, request.method);
    if (this.#cut) {
      parts.body?.cancel().catch(() => undefined);
      return;
    }
    await this.#send(parts);
  }

  #makeRequest(): Request {
    const { request, scope } = this.#options;
    try {
      return makeRequest(request, this.#body?.stream ?? null, scope.signal);
    } catch (error) {
      throw new BadRequest(messageOf(error), { cause: error });
    }
  }

  async #send({ status, headers, body }: ResponseParts): Promise<void> {
    const { connection, scope } = this.#options;
    if (!writeResponse(connection.writer, this.#stream.id, status, headers, body !== null)) {
      body?.cancel().catch(() => undefined);
      throw new BadResponse('the headers of the Response that the handler returned are too large');
    }
    if (body === null) return;
    this.#bodyBegun = true;
    this.#isEventStream = isEventStream(headers);
    if (this.#isEventStream && this.#options.isDraining()) {
      body.cancel().catch(() => undefined);
      return;
    }
    // Within the scope, for a stream's source is the author's code too.
    await scope.run(() => this.#pump(body));
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
      if (!this.#stream.write(bytes)) await this.#drain();
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
    // Handlers that pass the abort on do as they should.
    if (!scope.signal.aborted || error !== scope.signal.reason) scope.report(stackOf(error));
    const thrown = toThrown(error);
    return {
      code: 'handler-error',
      message: `The handler threw ${thrown.name}: ${thrown.message}`,
      thrown,
      cpuMicros: 0,
    };
  }
}

class HandlerMissing extends Error {}
class BadRequest extends Error {}

function failure(code: Failure['code'], message: string): Failure {
  return { code, message, thrown: null, cpuMicros: 0 };
}

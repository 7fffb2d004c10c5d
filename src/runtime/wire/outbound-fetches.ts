import { CancelSource } from '../../base/cancel.ts';
import { asFulcrumError, FulcrumError } from '../../base/errors.ts';
import type { Caller, FetchOrder } from '../../model/calls.ts';
import type { HttpEnd, RequestHead } from '../../model/http.ts';
import type { InvocationContext } from '../../model/invocation.ts';
import type { WireConnection } from './connection.ts';
import { cannotBePassedOn, whatIsWrong, type FetchHead } from './fetch-head.ts';
import { FRAME } from './frames.ts';
import { OutboundAnswer } from './outbound-answer.ts';
import { protocolError } from './protocol-error.ts';
import { noteRefusal } from './refused-calls.ts';
import { StreamBody } from './stream-body.ts';
import type { StreamHandler, WireStream } from './stream.ts';

export interface OutboundFetchOptions {
  readonly connection: WireConnection;
  readonly caller: Caller;
  readonly from: string;
  readonly to: string;
  /** Whoever asks, as it is where it does. */
  readonly parent: InvocationContext;
  /** The invocation that fails if it lets a refusal through. */
  readonly invocation: InvocationContext;
  /** Called once, when it is over. */
  readonly over: () => void;
}

/** An instance asks for another component through a service binding: the server's end of the stream. */
export function openFetch(stream: WireStream, request: FetchHead, options: OutboundFetchOptions): void {
  const fetch = new OutboundFetch(stream, request, options);
  stream.handler = fetch;
  fetch.begin();
}

/**
 * A request through a service binding. It is given up by the instance, with the invocation that asks, and where the instance is gone: whoever
 * carries it learns that from its signal, and ends it.
 */
class OutboundFetch implements StreamHandler, FetchOrder {
  readonly context = null;
  readonly head: RequestHead;
  readonly body: StreamBody | null;
  readonly response: OutboundAnswer;
  readonly #options: OutboundFetchOptions;
  readonly #wrong: string | null;
  readonly #cancel = new CancelSource();

  constructor(stream: WireStream, request: FetchHead, options: OutboundFetchOptions) {
    const { connection, parent } = options;
    const { method, url, headers, hasBody, lengthBytes } = request;
    this.#options = options;
    const read = URL.parse(url);
    this.#wrong = whatIsWrong(request);
    this.head = { method, url, target: read === null ? '/' : `${read.pathname}${read.search}`, headers };
    const stop = (): void => {
      // Once the stream is over its number may be another's.
      if (connection.stream(stream.id) === stream) connection.writer.begin(FRAME.BODY_STOP, 0, stream.id, 0);
    };
    this.body = hasBody ? new StreamBody(stream, lengthBytes, stop) : null;
    this.response = new OutboundAnswer(
      stream,
      connection,
      method,
      () => this.body?.isComing ?? false,
      () => {
        parent.signal.removeEventListener('abort', this);
        options.over();
      },
    );
  }

  begin(): void {
    const { caller, from, to, parent } = this.#options;
    if (this.#wrong !== null) {
      const error = new FulcrumError('bad-request', cannotBePassedOn(to, parent.requestId, this.#wrong));
      return this.ended({ outcome: 'refused', error, cpuMs: 0 });
    }
    const { component, call, requestId, traceparent, trigger, deadlineMs } = parent;
    const signal = this.#cancel;
    if (parent.signal.aborted) signal.abort(parent.signal.reason);
    else parent.signal.addEventListener('abort', this);
    const context = { component, call, requestId, traceparent, trigger, deadlineMs, signal };
    try {
      caller.fetch(from, to, this, context);
    } catch (error) {
      this.ended({ outcome: 'refused', error: asFulcrumError(error), cpuMs: 0 });
    }
  }

  frame(type: number): void {
    if (type === FRAME.BODY_END && this.body !== null) this.body.whole();
    else if (type === FRAME.BODY_FAILED && this.body !== null)
      this.body.fail(new FulcrumError('client-gone', 'The body of the request broke off.'));
    else if (type === FRAME.ABORT) this.#giveUp('The caller has given the request up.');
    else throw protocolError(`frame of type ${type} in a request's stream`);
  }

  data(chunk: Buffer): void {
    if (this.body === null) throw protocolError('the body of a request that has none');
    this.body.data(chunk);
  }

  drained(): void {
    this.response.drained();
  }

  stopped(): void {
    this.#giveUp('The caller wants no more of the answer.');
  }

  lost(error: FulcrumError): void {
    this.response.close();
    this.body?.fail(error);
    this.#giveUp('The instance that made the request has ended.');
  }

  /** Called by the signal of the invocation that asks. */
  handleEvent(): void {
    this.#cancel.abort(this.#options.parent.signal.reason);
  }

  ended(end: HttpEnd): void {
    const { to, invocation } = this.#options;
    if (end.error !== null && !this.response.isOver) noteRefusal(invocation, to, end.error);
    this.response.ended(end);
  }

  #giveUp(why: string): void {
    this.#cancel.abort(new FulcrumError('client-gone', why));
  }
}

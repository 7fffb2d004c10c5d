import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { FulcrumError, messageOf } from '../../base/errors.ts';
import type { HttpExchange } from '../../model/http.ts';
import type { InvocationEnd } from '../../model/invocation.ts';
import { EventBoundaries } from './event-stream.ts';
import { endToEnd } from '../../base/hop-by-hop.ts';
import { fieldOf, requestHeaders } from './headers.ts';
import { endedBadly, ENDED_WELL, givenUp, type InFlight } from './outcome.ts';
import { MAX_HEAD_BYTES, type Upstream } from './upstream.ts';

/** Methods that may be sent twice without doing more than once (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * One HTTP exchange, carried to the program and back:
 *
 *   asking ──head──▶ answering ──end──▶ over
 *     └──── connection broken ────▶ failing ──▶ over
 *
 * `failing` waits a moment to learn whether the program has crashed. An abort or a crash leads from each to `over`.
 * A request that meets a kept connection just as the program closes it is sent once more, on a new one, if nothing of
 * its body has been sent and doing it twice does no harm.
 */
export class Forward implements InFlight {
  readonly ended: Promise<InvocationEnd>;
  readonly #upstream: Upstream;
  readonly #exchange: HttpExchange;
  readonly #onAbort = (): void => this.#over(givenUp(this.#exchange.context.signal.reason));
  #state: 'asking' | 'answering' | 'failing' | 'over' = 'asking';
  #resolve!: (end: InvocationEnd) => void;
  #request: ClientRequest | null = null;
  #response: IncomingMessage | null = null;
  /** What the connection had read before this exchange; null until it has one. */
  #readBefore: number | null = null;
  #sentBytes = 0;
  #bodyEnded: boolean;
  #retried = false;
  /** Set for an event stream, which may be ended at a boundary. */
  #events: EventBoundaries | null = null;
  #draining: boolean;

  constructor(upstream: Upstream, exchange: HttpExchange) {
    this.#upstream = upstream;
    this.#exchange = exchange;
    this.#bodyEnded = exchange.body === null;
    this.#draining = upstream.draining;
    this.ended = new Promise((resolve) => (this.#resolve = resolve));
    const { signal } = exchange.context;
    if (signal.aborted) this.#onAbort();
    else {
      signal.addEventListener('abort', this.#onAbort, { once: true });
      this.#send();
      this.#sendBody();
    }
  }

  drain(): void {
    this.#draining = true;
    if (this.#events?.atBoundary === true) this.#endStream();
  }

  crash(error: FulcrumError): void {
    this.#over(endedBadly('crashed', error));
  }

  #send(): void {
    const { head, body } = this.#exchange;
    let sent: ClientRequest;
    try {
      sent = request({
        host: this.#upstream.address.host,
        port: this.#upstream.address.port,
        method: head.method,
        path: head.target,
        headers: requestHeaders(head, body),
        agent: this.#retried ? false : this.#upstream.agent,
        maxHeaderSize: MAX_HEAD_BYTES,
      });
    } catch (error) {
      // A method, target or field that HTTP/1.1 cannot carry.
      const text = `The request cannot be forwarded: ${messageOf(error)}`;
      return this.#over(endedBadly('cancelled', new FulcrumError('bad-request', text, { cause: error })));
    }
    this.#request = sent;
    this.#readBefore = null;
    // Their bytes are bounded; fields beyond a count would be left out in silence.
    sent.maxHeadersCount = 0;
    sent.once('socket', (socket) => (this.#readBefore = socket.bytesRead));
    sent.once('response', (response) => this.#answer(response));
    sent.once('upgrade', (_response, socket) => {
      socket.destroy();
      this.#badResponse('answered 101 to a request that asked for no upgrade');
    });
    sent.on('drain', () => this.#exchange.body?.resume());
    sent.on('error', (error) => {
      // One that was given up for another, or for good, may still complain.
      if (this.#request === sent) this.#broken(error);
    });
    if (this.#bodyEnded) sent.end();
  }

  #sendBody(): void {
    const { body } = this.#exchange;
    if (this.#state !== 'asking') return;
    body?.read({
      data: (chunk) => {
        if (!this.#takesBody() || chunk.length === 0) return;
        this.#sentBytes += chunk.length;
        if (body.lengthBytes !== null && this.#sentBytes > body.lengthBytes) return this.#wrongLength();
        if (!this.#request!.write(Buffer.from(chunk))) body.pause();
      },
      end: () => {
        if (!this.#takesBody()) return;
        if (body.lengthBytes !== null && this.#sentBytes < body.lengthBytes) return this.#wrongLength();
        this.#bodyEnded = true;
        this.#request!.end();
      },
      fail: (error) => {
        this.#bodyEnded = true;
        this.#over(givenUp(error));
      },
    });
  }

  #takesBody(): boolean {
    return this.#state === 'asking' || this.#state === 'answering';
  }

  #wrongLength(): void {
    const text = 'The request body is not as long as its Content-Length says.';
    this.#over(endedBadly('cancelled', new FulcrumError('bad-request', text)));
  }

  #answer(response: IncomingMessage): void {
    if (this.#state !== 'asking') return;
    this.#response = response;
    const status = response.statusCode ?? 0;
    // RFC 9110 §15: anything else is no status.
    if (status < 200 || status > 599) return this.#badResponse(`answered with the status ${status}`);
    const coding = fieldOf(response.rawHeaders, 'transfer-encoding');
    if (coding !== null && coding.trim().toLowerCase() !== 'chunked') {
      return this.#badResponse(`used the transfer coding "${coding}", which cannot be passed on`);
    }
    const headers = endToEnd(response.rawHeaders);
    const sink = this.#exchange.response;
    this.#state = 'answering';
    try {
      sink.head({ status, headers });
    } catch (error) {
      this.#state = 'asking';
      return this.#badResponse(`gave a head that cannot be passed on (${messageOf(error)})`);
    }
    if (isEventStream(response)) {
      this.#events = new EventBoundaries();
      if (this.#draining) return this.#endStream();
    }
    sink.onDrain(() => response.resume());
    response.on('data', (chunk: Buffer) => this.#data(chunk));
    response.once('end', () => {
      if (this.#state !== 'answering') return;
      sink.end();
      this.#over(ENDED_WELL);
    });
    response.on('error', (error) => this.#broken(error));
  }

  #data(chunk: Buffer): void {
    if (this.#state !== 'answering') return;
    const sink = this.#exchange.response;
    if (this.#events !== null) {
      if (this.#draining) {
        const boundary = this.#events.firstBoundary(chunk);
        if (boundary >= 0) {
          if (boundary > 0) sink.data(chunk.subarray(0, boundary));
          return this.#endStream();
        }
      } else this.#events.push(chunk);
    }
    if (!sink.data(chunk)) this.#response!.pause();
  }

  #endStream(): void {
    if (this.#state !== 'answering') return;
    this.#exchange.response.end();
    this.#over(ENDED_WELL);
  }

  /** The connection failed, or what came over it was no HTTP. */
  #broken(error: NodeJS.ErrnoException): void {
    if (this.#state === 'over' || this.#state === 'failing') return;
    if (error.code?.startsWith('HPE_') === true) {
      const overflow = error.code === 'HPE_HEADER_OVERFLOW';
      return this.#badResponse(
        overflow
          ? `sent more than ${MAX_HEAD_BYTES / 1024} KB of headers`
          : `sent no valid HTTP (${error.message})`,
        error,
      );
    }
    if (this.#mayRetry()) {
      this.#retried = true;
      return this.#send();
    }
    const what =
      this.#state === 'answering'
        ? 'broke its answer off'
        : error.code === 'ECONNREFUSED'
          ? 'no longer accepts connections'
          : 'closed the connection without an answer';
    this.#state = 'failing';
    void this.#blame(what, error);
  }

  async #blame(what: string, cause: Error): Promise<void> {
    const crash = await this.#upstream.crashed();
    if (crash !== null) this.crash(crash);
    else this.#badResponse(what, cause);
  }

  #mayRetry(): boolean {
    return (
      this.#state === 'asking' &&
      !this.#retried &&
      this.#request!.reusedSocket &&
      this.#sentBytes === 0 &&
      // Nothing of an answer has come either: the program never saw the request, or is to blame.
      this.#request!.socket?.bytesRead === this.#readBefore &&
      IDEMPOTENT.has(this.#exchange.head.method)
    );
  }

  #badResponse(what: string, cause?: unknown): void {
    const text = `The component "${this.#upstream.component}" ${what}.`;
    this.#over(endedBadly('bad-response', new FulcrumError('bad-response', text, { cause })));
  }

  #over(end: InvocationEnd): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#exchange.context.signal.removeEventListener('abort', this.#onAbort);
    const { body } = this.#exchange;
    if (!this.#bodyEnded) {
      // The whole of it may have been answered before its end was told.
      if (this.#sentBytes === body?.lengthBytes) this.#request?.end();
      body?.cancel();
    }
    // A connection on which something is still under way cannot serve another request.
    if (end !== ENDED_WELL || this.#response?.complete !== true || this.#request?.writableFinished !== true) {
      this.#request?.destroy();
    }
    this.#resolve(end);
  }
}

/** Whether boundaries between events can be seen in it: not in a compressed one, nor in one of a promised length. */
function isEventStream(response: IncomingMessage): boolean {
  const { 'content-type': type, 'content-encoding': encoding, 'content-length': length } = response.headers;
  return (
    /^text\/event-stream\s*(?:;|$)/i.test(type ?? '') &&
    (encoding === undefined || encoding === 'identity') &&
    length === undefined
  );
}

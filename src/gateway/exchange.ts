import type { IncomingMessage, ServerResponse } from 'node:http';
import { FulcrumError, messageOf } from '../base/errors.ts';
import { requestId } from '../base/ids.ts';
import { accessLine } from './access-line.ts';
import { CallerSignal } from './caller-signal.ts';
import { problemOf } from './problem.ts';
import { hasBody, readResponseHead } from './response-fields.ts';
import { serverTiming } from './server-timing.ts';
import type { Timer } from '../base/clock.ts';
import type { InvocationControl } from '../model/dispatch.ts';
import type { ResponseHead, ResponseSink } from '../model/http.ts';
import type { InvocationEnd } from '../model/invocation.ts';
import type { Slot } from '../model/slot.ts';
import type { Connection, InFlight } from './connection.ts';
import type { CorsPolicy } from './cors.ts';
import type { GatewayParts } from './parts.ts';
import type { RequestBody } from './request-body.ts';

/**
 *   open ──head()──▶ streaming ──end()──▶ ended
 *     │                  └── anything wrong, client gone ──▶ cut (the connection is destroyed: never a clean end)
 *     └── refuse() ──▶ ended (a problem document)
 */
export type ExchangeState = 'open' | 'streaming' | 'ended' | 'cut';

/** A body that is still to come and is no longer than this is taken and thrown away, so that the connection can stay. */
const MAX_DISCARD_BYTES = 64 * 1024;
const NO_FIELDS: readonly string[] = [];

/** One request and its answer: whatever happens, the client gets exactly one answer or a cut connection, and the log one line. */
export class Exchange implements ResponseSink, InFlight {
  readonly requestId = requestId();
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller = new CallerSignal();
  /** Set once the route is known. */
  component = '-';
  path: string;
  cors: CorsPolicy | null = null;
  origin: string | null = null;
  body: RequestBody | null = null;
  /** Bytes of body that the request announced; null where it has one of unknown length. */
  announcedBytes: number | null = 0;
  readonly #parts: GatewayParts;
  readonly #connection: Connection;
  readonly #arrivedMs: number;
  #state: ExchangeState = 'open';
  #status = 0;
  #bytesOut = 0;
  #promisedBytes: number | null = null;
  #sendsBody = true;
  #slot: Slot | null = null;
  #slotMs = 0;
  #control: InvocationControl | null = null;
  #violation: FulcrumError | null = null;
  #error: FulcrumError | null = null;
  #resume: (() => void) | null = null;
  #stalled: Timer | null = null;

  constructor(
    parts: GatewayParts,
    connection: Connection,
    request: IncomingMessage,
    response: ServerResponse,
  ) {
    this.#parts = parts;
    this.#connection = connection;
    this.request = request;
    this.response = response;
    this.path = pathOf(request.url ?? '');
    this.#arrivedMs = parts.clock.monotonicMs();
    connection.begin(this);
  }

  get state(): ExchangeState {
    return this.#state;
  }

  /** The status that the client got: 499 where it left before there was one. */
  get status(): number {
    return this.#status;
  }

  /** A slot was had: what it tells goes into `Server-Timing` and the log. */
  given(slot: Slot, control: InvocationControl): void {
    this.#slot = slot;
    this.#control = control;
    this.#slotMs = this.#parts.clock.monotonicMs();
  }

  /** Answers a CORS preflight. */
  preflight(): void {
    if (this.#state !== 'open' || this.cors === null || this.origin === null) return;
    this.#status = 204;
    const closing = this.#mustClose() ? ['Connection', 'close'] : NO_FIELDS;
    this.response.writeHead(204, [
      'X-Request-Id',
      this.requestId,
      ...this.cors.preflightFields(this.origin),
      ...closing,
    ]);
    this.response.end();
    this.#enter('ended');
  }

  head(head: ResponseHead): void {
    if (this.#state !== 'open') {
      if (this.#state === 'streaming') this.#violate('The component began its answer twice.');
      return;
    }
    try {
      this.#begin(head);
    } catch (error) {
      // A field that Node refuses to send has not been told apart from one that breaks our own rules.
      const bad =
        error instanceof FulcrumError
          ? error
          : new FulcrumError('bad-response', `The component's answer cannot be sent: ${messageOf(error)}.`);
      this.#violate(bad.message, bad);
    }
  }

  data(chunk: Uint8Array): boolean {
    if (this.#state !== 'streaming') {
      if (this.#state === 'open') this.#violate('The component sent a body before a status.');
      return true;
    }
    if (!this.#sendsBody || chunk.length === 0) return true;
    this.#bytesOut += chunk.length;
    if (this.#promisedBytes !== null && this.#bytesOut > this.#promisedBytes) {
      this.#violate(`The component sent more than the ${this.#promisedBytes} bytes that it had promised.`);
      return true;
    }
    if (this.response.write(chunk)) return true;
    this.#waitForClient();
    return false;
  }

  end(): void {
    if (this.#state !== 'streaming') {
      if (this.#state === 'open') this.#violate('The component ended its answer before it began it.');
      return;
    }
    if (this.#sendsBody && this.#promisedBytes !== null && this.#bytesOut < this.#promisedBytes) {
      this.#violate(
        `The component sent ${this.#bytesOut} bytes of the ${this.#promisedBytes} that it had promised.`,
      );
      return;
    }
    this.response.end();
    this.#enter('ended');
  }

  onDrain(resume: () => void): void {
    this.#resume = resume;
  }

  /** Answers with a problem document; where an answer has begun, cuts the connection instead. */
  refuse(error: FulcrumError, fields: readonly string[] = NO_FIELDS): void {
    if (this.#state === 'streaming') this.cut(error);
    if (this.#state !== 'open') return;
    this.#error ??= error;
    const problem = problemOf({
      error,
      requestId: this.requestId,
      component: this.component,
      dev: this.#parts.dev,
    });
    this.#status = problem.status;
    const closing = this.#mustClose() ? ['Connection', 'close'] : NO_FIELDS;
    this.response.writeHead(problem.status, problem.reason, [
      ...problem.fields,
      ...fields,
      ...this.#corsFields(),
      ...closing,
    ]);
    if (hasBody(this.request.method ?? '', problem.status)) {
      this.#bytesOut = problem.body.length;
      this.response.end(problem.body);
    } else {
      this.response.end();
    }
    this.#enter('ended');
  }

  /** Destroys the connection so that the client cannot take what it has for a whole answer. */
  cut(error: FulcrumError): void {
    if (this.#state === 'ended' || this.#state === 'cut') return;
    this.#error ??= error;
    this.#enter('cut');
    this.#destroySocket();
  }

  /** The client has gone, or must be treated as if it had. */
  gone(error: FulcrumError): void {
    if (this.#state === 'ended' || this.#state === 'cut') {
      this.body?.fail(error);
      return;
    }
    this.#error ??= error;
    if (this.#state === 'open') this.#status = error.status;
    this.#enter('cut');
    this.body?.fail(error);
    this.caller.abort(error);
  }

  broken(error: FulcrumError): void {
    if (this.announcedBytes === 0 || this.request.complete) return;
    this.body?.fail(error);
    this.bodyFailed(error);
  }

  onAnswered(then: () => void): void {
    if (this.response.writableFinished) then();
    else this.response.once('finish', then);
  }

  /** The request's body broke off while the client is still there: it is told, and the instance need not go on. */
  bodyFailed(error: FulcrumError): void {
    this.#connection.close();
    this.refuse(error);
    this.caller.abort(error);
  }

  /**
   * Makes up for what the instance left open when its invocation ended, and says how it ended in truth.
   * Must be called once, when the instance is done with this exchange.
   */
  settle(end: InvocationEnd): InvocationEnd {
    if (end.outcome === 'ok' && this.#state === 'open')
      this.#violate('The component ended without an answer.');
    if (end.outcome === 'ok' && this.#state === 'streaming') {
      this.#violate('The component ended before its answer was whole.');
    }
    if (this.#violation !== null) {
      return { outcome: 'bad-response', error: this.#violation, cpuMs: end.cpuMs };
    }
    if (end.outcome !== 'ok') {
      this.refuse(end.error ?? new FulcrumError('internal', `The invocation ended as ${end.outcome}.`));
    }
    return end;
  }

  #begin(head: ResponseHead): void {
    const { passed, contentLength } = readResponseHead(head, this.cors !== null);
    const sendsBody = hasBody(this.request.method ?? '', head.status);
    // RFC 9110, 8.6: a 204 has no Content-Length.
    if (contentLength !== null && head.status !== 204) passed.push('Content-Length', String(contentLength));
    passed.push('X-Request-Id', this.requestId, ...this.#corsFields());
    if (this.#parts.dev && this.#slot !== null) passed.push('Server-Timing', this.#timing(this.#slot));
    if (this.#connection.endsWith(this)) passed.push('Connection', 'close');
    this.response.writeHead(head.status, passed);
    this.#promisedBytes = contentLength;
    this.#sendsBody = sendsBody;
    this.#status = head.status;
    this.#enter('streaming');
    this.#control?.status(head.status);
    this.#control?.answered();
    // Sent with the first bytes of the body where they follow at once, else by itself: a client of an event stream waits for it.
    process.nextTick(flushHead, this);
  }

  /** For {@link flushHead} alone. */
  flush(): void {
    if (this.#state === 'streaming' && this.#bytesOut === 0) this.response.flushHeaders();
  }

  #timing(slot: Slot): string {
    return serverTiming({
      waitedMs: slot.waitedMs,
      startMs: slot.startMs,
      handlerMs: this.#parts.clock.monotonicMs() - this.#slotMs,
      cold: slot.cold,
    });
  }

  #corsFields(): readonly string[] {
    return this.cors === null ? NO_FIELDS : this.cors.fields(this.origin);
  }

  /** Whether a refusal must end the connection: the rest of the request would be too much to wait for, or may never come. */
  #mustClose(): boolean {
    if (this.#connection.endsWith(this)) return true;
    if (this.announcedBytes === 0 || this.request.complete) return false;
    // A client that still waits for `100 Continue` is told by Node that the connection closes.
    return this.announcedBytes === null || this.announcedBytes > MAX_DISCARD_BYTES;
  }

  #violate(message: string, error: FulcrumError = new FulcrumError('bad-response', message)): void {
    this.#violation ??= error;
    this.refuse(error);
    this.caller.abort(error);
  }

  #destroySocket(): void {
    const { socket } = this.#connection;
    // To a client of HTTP/1.0 an orderly close means that an answer of unknown length was whole.
    if (this.request.httpVersionMinor === 0 && this.#promisedBytes === null) socket.resetAndDestroy();
    else socket.destroy();
  }

  #waitForClient(): void {
    if (this.#stalled !== null) return;
    this.#watchClient();
    this.response.once('drain', () => {
      this.#stopWaiting();
      this.#resume?.();
    });
  }

  /** The answer is complete, but the client has yet to take what is left of it. */
  #waitForLast(): void {
    this.#stopWaiting();
    if (this.response.writableLength === 0) return;
    this.#watchClient();
    const stop = (): void => this.#stopWaiting();
    this.response.once('finish', stop);
    this.response.once('close', stop);
  }

  #watchClient(): void {
    const { clock, limits } = this.#parts;
    const heldBytes = this.response.writableLength;
    this.#stalled = clock.after(limits.stalledClientMs, () => {
      this.#stalled = null;
      if (this.#connection.socket.destroyed) return;
      // An answer that waits for earlier ones of its connection has no socket yet: the client cannot have read it.
      const isQueued = this.response.socket === null;
      if (isQueued || this.response.writableLength < heldBytes) this.#watchClient();
      else this.#clientStalled();
    });
  }

  #clientStalled(): void {
    if (this.#state === 'ended') {
      this.#destroySocket();
      return;
    }
    const error = new FulcrumError('client-gone', 'The client has not read its answer for too long.');
    this.cut(error);
    this.caller.abort(error);
  }

  #stopWaiting(): void {
    this.#stalled?.cancel();
    this.#stalled = null;
  }

  #enter(state: ExchangeState): void {
    this.#state = state;
    if (state === 'open' || state === 'streaming') return;
    if (state === 'ended') this.#waitForLast();
    else this.#stopWaiting();
    // An instance may read on after it has answered, and must then still learn that the client has gone.
    if (this.announcedBytes === 0 || this.request.complete) this.#connection.done(this);
    this.#writeLine();
  }

  /** The invocation is over: what is left of the request's body has no reader any more. */
  release(): void {
    this.#connection.done(this);
    this.body?.cancel();
    if (this.announcedBytes !== 0) this.#connection.discard(this.request);
  }

  #writeLine(): void {
    const { clock, log } = this.#parts;
    const durationMs = clock.monotonicMs() - this.#arrivedMs;
    log.write(
      accessLine({
        atMs: clock.nowMs() - durationMs,
        component: this.component,
        requestId: this.requestId,
        method: this.request.method ?? '-',
        path: this.path,
        status: this.#status,
        waitedMs: this.#slot?.waitedMs ?? 0,
        durationMs,
        cold: this.#slot?.cold ?? false,
        bytesOut: this.#bytesOut,
        instance: this.#slot?.instance.id ?? null,
        revision: this.#slot?.instance.revision.id ?? null,
        error: this.#error,
      }),
    );
  }
}

function flushHead(exchange: Exchange): void {
  exchange.flush();
}

/** The part of a request target that a log may hold. */
function pathOf(target: string): string {
  if (!target.startsWith('/')) return '-';
  const end = target.search(/[?#]/);
  return end === -1 ? target : target.slice(0, end);
}

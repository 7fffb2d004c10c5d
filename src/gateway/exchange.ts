import { CancelSource } from '../base/cancel.ts';
import { FulcrumError } from '../base/errors.ts';
import { requestId } from '../base/ids.ts';
import { accessLine } from './access-line.ts';
import { hasFailed } from './outcomes.ts';
import { problemOf } from './problem.ts';
import { hasBody, isForAll, linesOf, readResponseHead } from './response-fields.ts';
import type { ResponseFields } from './response-fields.ts';
import { serverTiming } from './server-timing.ts';
import { spanOf } from './trace.ts';
import type { InvocationControl } from '../model/dispatch.ts';
import type { ResponseHead, ResponseSink } from '../model/http.ts';
import type { InvocationEnd } from '../model/invocation.ts';
import type { Slot } from '../model/slot.ts';
import type { CorsPolicy } from './cors.ts';
import type { ResponseFraming } from './http1/response-writer.ts';
import type { Head } from './http1/request-reader.ts';
import type { GatewayParts } from './parts.ts';
import type { RequestBody } from './request-body.ts';
import type { RequestStream, Served } from './request-stream.ts';
import type { ServedRelease } from './served-release.ts';

/**
 *   open ──head()──▶ streaming ──end()──▶ ended
 *     │                  └── anything wrong, client gone ──▶ cut (the connection is destroyed: never a clean end)
 *     └── refuse() ──▶ ended (a problem document)
 */
export type ExchangeState = 'open' | 'streaming' | 'ended' | 'cut';

/** A body that is still to come and is no longer than this is taken and thrown away, so that the connection can stay. */
const MAX_DISCARD_BYTES = 64 * 1024;
/** What lies above is no status that every version of HTTP can carry. */
const MAX_COMMON_STATUS = 599;
const NO_FIELDS: readonly string[] = [];

/** One request and its answer: whatever happens, the client gets exactly one answer or a cut connection, and the log one line. */
export class Exchange implements ResponseSink, Served {
  readonly requestId = requestId();
  readonly request: Head;
  readonly caller = new CancelSource();
  /** Set once the route is known. */
  component = '-';
  path: string;
  /** Set once it is known. */
  traceparent: string | null = null;
  /** Set once the app is known. */
  servedBy: ServedRelease | null = null;
  /** Field lines, each with its end, that every answer carries. */
  lines = '';
  /** One more of an answer of the component's own that is for this client only: it says what keeps it to a replica. */
  markLine = '';
  cors: CorsPolicy | null = null;
  origin: string | null = null;
  body: RequestBody | null = null;
  readonly #parts: GatewayParts;
  readonly #stream: RequestStream;
  readonly #arrivedMs: number;
  #state: ExchangeState = 'open';
  #status = 0;
  #bytesOut = 0;
  #promisedBytes: number | null = null;
  #sendsBody = true;
  /** Whether the client still waits for a word before it sends its body. */
  #waitsToContinue: boolean;
  #slot: Slot | null = null;
  #slotMs = 0;
  #control: InvocationControl | null = null;
  #violation: FulcrumError | null = null;
  #error: FulcrumError | null = null;
  #resume: (() => void) | null = null;

  constructor(parts: GatewayParts, stream: RequestStream, request: Head) {
    this.#parts = parts;
    this.#stream = stream;
    this.request = request;
    this.path = pathOf(request.target);
    this.#waitsToContinue = request.fields.expect !== null && request.minor === 1 && request.bodyBytes !== 0;
    this.#arrivedMs = parts.clock.monotonicMs();
    stream.serve(this);
  }

  get state(): ExchangeState {
    return this.#state;
  }

  /** The status that the client got: 499 where it left before there was one. */
  get status(): number {
    return this.#status;
  }

  /** Of the request's body, so far. */
  get bytesIn(): number {
    return this.body === null ? 0 : this.body.receivedBytes;
  }

  /** Of the answer's body, so far: a problem document's, where the gateway had to answer. */
  get bytesOut(): number {
    return this.#bytesOut;
  }

  /** A slot was had: what it tells goes into `Server-Timing` and the log. */
  given(slot: Slot, control: InvocationControl): void {
    this.#slot = slot;
    this.#control = control;
    this.#slotMs = this.#parts.clock.monotonicMs();
  }

  /** Tells a client that waits for it that its body is wanted. */
  continue(): void {
    if (!this.#waitsToContinue || this.#state !== 'open') return;
    this.#waitsToContinue = false;
    this.#stream.writer.continue();
  }

  /** Answers by itself, without a component and without a body. */
  reply(status: number, fields: readonly string[]): void {
    if (this.#state !== 'open') return;
    this.#status = status;
    const bodyBytes = status === 204 ? null : 0;
    this.#sendHead(status, linesOf(['X-Request-Id', this.requestId, ...fields]) + this.lines, {
      bodyBytes,
      sendsBody: false,
      closes: this.#mustClose(),
      dated: false,
    });
    this.#stream.writer.end();
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
      if (!(error instanceof FulcrumError)) throw error;
      this.#violate(error.message, error);
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
    if (this.#stream.writer.data(asBuffer(chunk))) return true;
    this.#stream.watchOutput();
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
    this.#stream.writer.end();
    this.#enter('ended');
  }

  answer(head: ResponseHead, body: Uint8Array): void {
    if (this.#state === 'open' && this.#answerAtOnce(head, body)) return;
    this.head(head);
    if (body.length > 0) this.data(body);
    this.end();
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
    const sendsBody = hasBody(this.request.method, problem.status);
    const lines = linesOf([...problem.fields, ...fields, ...this.#corsFields()]) + this.lines;
    this.#sendHead(problem.status, lines, {
      bodyBytes: problem.body.length,
      sendsBody,
      closes: this.#mustClose(),
      dated: false,
    });
    if (sendsBody) {
      this.#bytesOut = problem.body.length;
      this.#stream.writer.data(problem.body);
    }
    this.#stream.writer.end();
    this.#enter('ended');
  }

  /** Destroys the connection so that the client cannot take what it has for a whole answer. */
  cut(error: FulcrumError): void {
    if (this.#state === 'ended' || this.#state === 'cut') return;
    this.#error ??= error;
    this.#enter('cut');
    this.#stream.cut(this.request.minor === 0 && this.#promisedBytes === null);
  }

  bodyData(bytes: Buffer): boolean {
    return this.body !== null && this.body.push(bytes);
  }

  bodyWhole(): void {
    this.body?.whole();
  }

  drained(): void {
    this.#resume?.();
  }

  watch(nowMs: number): void {
    this.body?.look(nowMs);
  }

  /** The client has gone, or must be treated as if it had. */
  gone(error: FulcrumError): void {
    // An instance may read on after it has answered, and must then still learn that the client has gone.
    this.body?.fail(error);
    if (this.#state === 'ended' || this.#state === 'cut') return;
    this.#error ??= error;
    if (this.#state === 'open') this.#status = error.status;
    this.#enter('cut');
    this.caller.abort(error);
  }

  /** The request's body broke off while the client is still there: it is told, and the instance need not go on. */
  bodyBroken(error: FulcrumError): void {
    this.#stream.close();
    this.body?.fail(error);
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

  /** The invocation is over: what is left of the request's body has no reader any more. */
  release(): void {
    if (this.request.bodyBytes === 0) return;
    this.body?.cancel();
    this.#stream.discardBody(this);
  }

  #begin(head: ResponseHead): void {
    const { lines, contentLength, dated } = readResponseHead(head, this.cors !== null);
    let all = `${lines}X-Request-Id: ${this.requestId}\r\n${this.lines}${this.#markFor(lines)}`;
    if (this.cors !== null) all += linesOf(this.#corsFields());
    if (this.#parts.dev && this.#slot !== null) all += `Server-Timing: ${this.#timing(this.#slot)}\r\n`;
    this.#promisedBytes = contentLength;
    this.#sendsBody = hasBody(this.request.method, head.status);
    const toldBytes = lengthToTell(head.status, contentLength);
    // HTTP/1.0 learns the end of a body of unknown length by the connection's.
    const unending = this.request.minor === 0 && contentLength === null && this.#sendsBody;
    this.#sendHead(head.status, all, {
      bodyBytes: toldBytes,
      sendsBody: this.#sendsBody,
      closes: unending || this.#isLast(),
      dated,
    });
    this.#status = head.status;
    this.#enter('streaming');
    this.#control?.status(head.status);
    this.#control?.answered();
  }

  /** @returns false where there is something about it that must be looked at step by step. */
  #answerAtOnce(head: ResponseHead, body: Uint8Array): boolean {
    const { method, minor } = this.request;
    const { status } = head;
    if (!hasBody(method, status) || this.cors !== null || status > MAX_COMMON_STATUS) return false;
    let fields: ResponseFields;
    try {
      fields = readResponseHead(head, false);
    } catch {
      return false;
    }
    const { lines, contentLength, dated } = fields;
    if (contentLength !== null && contentLength !== body.length) return false;
    const timing =
      this.#parts.dev && this.#slot !== null ? `Server-Timing: ${this.#timing(this.#slot)}\r\n` : '';
    const closes = this.#isLast();
    if (closes) this.#stream.close();
    this.#status = status;
    this.#bytesOut = body.length;
    const framing = { bodyBytes: body.length, sendsBody: true, minor, closes, dated };
    const all = `${lines}X-Request-Id: ${this.requestId}\r\n${this.lines}${this.#markFor(lines)}${timing}`;
    this.#stream.writer.whole(status, all, framing, asBuffer(body));
    this.#control?.status(status);
    this.#control?.answered();
    this.#enter('ended');
    return true;
  }

  #sendHead(status: number, lines: string, framing: Omit<ResponseFraming, 'minor'>): void {
    // From here on, so that nothing is read behind a request whose answer says that nothing will be.
    if (framing.closes) this.#stream.close();
    this.#stream.writer.begin(status, lines, { ...framing, minor: this.request.minor });
  }

  /** A shared cache would hand one client's mark to all others, who would crowd one replica. */
  #markFor(lines: string): string {
    return this.markLine === '' || isForAll(lines) ? '' : this.markLine;
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

  /** Whether this answer is the connection's last whatever it says: a client that waits in vain may send its body, or not. */
  #isLast(): boolean {
    return this.#stream.closes || (this.#waitsToContinue && this.#stream.isArriving);
  }

  /** Whether a refusal must end the connection: the rest of the request would be too much to wait for, or may never come. */
  #mustClose(): boolean {
    if (this.#isLast()) return true;
    const { bodyBytes } = this.request;
    return this.#stream.isArriving && (bodyBytes === null || bodyBytes > MAX_DISCARD_BYTES);
  }

  #violate(message: string, error: FulcrumError = new FulcrumError('bad-response', message)): void {
    this.#violation ??= error;
    this.refuse(error);
    this.caller.abort(error);
  }

  #enter(state: ExchangeState): void {
    this.#state = state;
    if (state === 'open' || state === 'streaming') return;
    this.#writeLine();
    if (state === 'ended') this.#stream.answered();
  }

  #writeLine(): void {
    const { clock, log } = this.#parts;
    const durationMs = clock.monotonicMs() - this.#arrivedMs;
    const release = this.servedBy;
    release?.outcomes?.ended(this.#status, hasFailed(this.#status, this.#error));
    (release === null ? log : release.log).write(
      accessLine({
        app: release?.app ?? null,
        atMs: clock.nowMs() - durationMs,
        component: this.component,
        requestId: this.requestId,
        method: this.request.method,
        path: this.path,
        status: this.#status,
        waitedMs: this.#slot?.waitedMs ?? 0,
        durationMs,
        cold: this.#slot?.cold ?? false,
        bytesOut: this.#bytesOut,
        instance: this.#slot?.instance.id ?? null,
        revision: this.#slot?.instance.revision.id ?? null,
        span: this.traceparent === null ? null : spanOf(this.traceparent),
        error: this.#error,
      }),
    );
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** RFC 9110, 8.6: a 204 has no Content-Length. A 205 has one, for nothing else says that no body follows (RFC 9112, 6.3). */
function lengthToTell(status: number, contentLength: number | null): number | null {
  if (status === 204) return null;
  return status === 205 ? 0 : contentLength;
}

/** The part of a request target that a log may hold. */
function pathOf(target: string): string {
  if (!target.startsWith('/')) return '-';
  const end = target.search(/[?#]/);
  return end === -1 ? target : target.slice(0, end);
}

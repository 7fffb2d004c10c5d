import { bindingFields, unsoundField } from '../../base/binding-fields.ts';
import { FulcrumError, type ErrorCode } from '../../base/errors.ts';
import { endToEnd } from '../../base/hop-by-hop.ts';
import {
  failureText,
  outOfTimeText,
  refusalOf,
  stepOf,
  type CallRules,
  type WantedCall,
} from '../../model/call-rules.ts';
import type { Outcome } from '../../model/invocation.ts';
import { cannotBePassedOn, whatIsWrong } from '../wire/fetch-head.ts';
import { fromThrown } from '../wire/thrown.ts';
import { abortOf, overdueText, type Abort } from './abort.ts';
import { thrownByAuthor } from './author-errors.ts';
import type { CallRecords } from './call-records.ts';
import { IncomingRequest } from './fetch/incoming-request.ts';
import { LightResponse } from './fetch/light-response.ts';
import { BadResponse, readResponse } from './fetch/response-parts.ts';
import { InvocationScope, type InvocationHost } from './invocation.ts';
import { calledWithinProcess, withoutCaller } from './local-call.ts';
import type { Member } from './members.ts';
import type { NamedFunction } from './module-handlers.ts';
import { isRedirect, mayAnswer, redirected, type OutgoingRequest } from './outgoing-request.ts';
import { NoBytes, PassedBody, WrongLength } from './passed-body.ts';
import { isThenable } from './thenable.ts';

export interface LocalFetchOptions {
  readonly records: CallRecords;
  readonly host: InvocationHost;
  readonly rules: CallRules;
  readonly from: Member;
  /** The invocation, or the call for it, that makes this request. */
  readonly caller: InvocationScope;
  readonly to: Member;
  readonly request: OutgoingRequest;
  /** Whether a member's time is that until it answers, as in a service, and not until the end of its answer. */
  readonly mayOutlast: boolean;
}

/**
 * A request to a member's `fetch` handler by another, in one process: what the server does with one over the wire, in the same order and with the same errors.
 *
 *   asking ──Response──▶ answering ──end of its body──▶ over
 *      └───────────────────┴── given up, failed ──▶ over
 */
export class LocalFetch {
  readonly #options: LocalFetchOptions;
  readonly #wanted: WantedCall;
  readonly #atMs = Date.now();
  readonly #beganMs = performance.now();
  readonly #response = Promise.withResolvers<Response>();
  readonly #onAbort = (): void => this.#giveUp(this.#options.request.signal!.reason);
  #scope: InvocationScope | null = null;
  #state: 'asking' | 'answering' | 'over' = 'asking';
  #isTold = false;
  #requestBody: PassedBody | null = null;
  #answer: PassedBody | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: LocalFetchOptions) {
    const { from, to, caller } = options;
    this.#options = options;
    this.#wanted = {
      from: from.component,
      to: to.component,
      function: null,
      by: caller.step,
      requestId: caller.requestId,
    };
  }

  /** Resolves with the answer. Rejects with what the handler has thrown, or why it was not asked. */
  answered(): Promise<Response> {
    try {
      this.#ask();
    } catch (error) {
      this.#fail(error);
    }
    return this.#response.promise;
  }

  #ask(): void {
    const { request, rules, caller, to, host } = this.#options;
    const { head, signal } = request;
    const wrong = whatIsWrong(head);
    if (wrong !== null)
      throw fulcrumError('bad-request', cannotBePassedOn(to.component, caller.requestId, wrong));
    const refusal = refusalOf(this.#wanted, rules);
    if (refusal !== null) throw this.#told('refused', refusal.code, refusal.message);
    const { aborted } = caller;
    const leftMs = caller.endsAtMs - this.#beganMs;
    if (leftMs <= 0 || aborted?.code === 'timeout')
      throw this.#platformError('timeout', 'timeout', outOfTimeText(this.#wanted));
    if (aborted !== null) throw this.#givenUp(aborted);
    const handler = to.handlers.fetch;
    if (handler === null) {
      const message = 'The component has no `fetch` handler, so it cannot answer HTTP requests.';
      throw this.#platformError('handler-error', 'handler-missing', message);
    }
    const scope = (this.#scope = new InvocationScope({
      host,
      stream: caller.stream,
      requestId: caller.requestId,
      component: to.component,
      member: to.component,
      remainingMs: Math.min(leftMs, to.timeoutMs),
      traceparent: '',
      step: stepOf(this.#wanted),
      caller,
    }));
    scope.onAbort = (abort) => this.#fail(this.#givenUp(abort));
    signal?.addEventListener('abort', this.#onAbort);
    // Whoever made the invocation looks after its time; nobody does after that of an orphan.
    if (to.timeoutMs < leftMs || caller.stream === null)
      this.#timer = setTimeout(() => scope.abortFor(abortOf('timeout', scope)), scope.remainingMs());
    const input = this.#incoming(scope);
    const asked = (): unknown =>
      calledWithinProcess(handler as NamedFunction, [input, to.env, scope.context]);
    let answer: unknown;
    try {
      answer = scope.run(asked);
    } catch (error) {
      throw this.#threw(error);
    }
    if (isThenable(answer)) {
      answer.then(
        (value) => this.#answers(value),
        (error: unknown) => this.#fail(this.#threw(error)),
      );
    } else {
      this.#answers(answer);
    }
  }

  #incoming(scope: InvocationScope): Request {
    const { head, body } = this.#options.request;
    const { requestId, span } = scope;
    const { traceparent } = span;
    const fields = bindingFields(head, { requestId, traceparent }).join('\0');
    if (body !== null) {
      const { caller } = this.#options;
      this.#requestBody = new PassedBody(body, {
        run: (code) => caller.run(code),
        lengthBytes: head.lengthBytes,
        failure: (error) => this.#bodyBroke(error),
        onEnd: () => undefined,
      });
    }
    const { method, url } = head;
    return new IncomingRequest(
      { method, url, fields },
      this.#requestBody,
      () => scope.signal,
    ) as unknown as Request;
  }

  /** Where the body breaks off of its own accord the request is given up. @returns what whoever reads it is told. */
  #bodyBroke(error: unknown): unknown {
    if (error instanceof WrongLength) return new TypeError("The request's body broke off (bad-request).");
    const noBytes = 'The body of the request yields something that is no Uint8Array.';
    this.#giveUp(error instanceof NoBytes ? new TypeError(noBytes) : error);
    return this.#scope!.signal.reason;
  }

  #answers(value: unknown): void {
    if (this.#state !== 'asking') return discard(value);
    const { request, mayOutlast } = this.#options;
    const { head } = request;
    const scope = this.#scope!;
    if (performance.now() >= scope.endsAtMs) {
      discard(value);
      return this.#fail(this.#overdue(scope.lastsMs));
    }
    try {
      const { status, headers, body, isSole } = readResponse(value, head.method);
      const unsound = unsoundField(headers);
      if (unsound !== null)
        throw new BadResponse(`the header ${JSON.stringify(unsound)} is none that HTTP can carry`);
      if (request.refusesRedirects && isRedirect(status)) {
        discard(value);
        return this.#giveUp(redirected());
      }
      this.#record('ok', null);
      this.#state = 'answering';
      if (mayOutlast) this.#stopTimer();
      const isStream = typeof body === 'object' && body !== null && 'getReader' in body;
      const given = isStream
        ? this.#passed(body)
        : wholeOf(body ?? (mayAnswer(head.method, status) ? '' : null), isSole);
      const fields = endToEnd(headers);
      this.#response.resolve(LightResponse.received(head.url, status, fields, given) as unknown as Response);
      // A stream goes on as its reader asks for it, and keeps nobody waiting who does not.
      if (isStream) scope.answered();
      else this.#over();
    } catch (error) {
      this.#fail(error instanceof BadResponse ? this.#badResponse(error) : this.#threw(error));
    }
  }

  #passed(body: ReadableStream<unknown>): ReadableStream<Uint8Array> {
    const scope = this.#scope!;
    this.#answer = new PassedBody(body, {
      run: (code) => scope.run(code),
      lengthBytes: null,
      failure: (error) =>
        error instanceof NoBytes
          ? this.#badResponse(
              new BadResponse(
                'the body of the Response that the handler returned yields something that is no Uint8Array',
              ),
            )
          : fromThrown(thrownByAuthor(error, withoutCaller)),
      onEnd: (isCancelled) => {
        if (isCancelled) this.#giveUp(undefined);
        else this.#over();
      },
    });
    return this.#answer.stream();
  }

  #badResponse({ message }: BadResponse): Error {
    this.#scope!.report(`Bad response: ${message}.`);
    const text = `The component gave no valid response: ${message}.`;
    return this.#platformError('bad-response', 'bad-response', text);
  }

  /** The handler has thrown. @returns the error as its caller gets it. */
  #threw(value: unknown): Error {
    this.#record('handler-error', 'handler-error');
    return fromThrown(thrownByAuthor(value, withoutCaller));
  }

  /** The caller wants it no more. */
  #giveUp(reason: unknown): void {
    this.#record('cancelled', 'client-gone');
    this.#fail(reason, abortOf('client-gone', this.#scope!));
  }

  /** What asks for it, or reads its answer, is told `error`. @param abort what its handler is told. */
  #fail(error: unknown, abort: Abort | null = null): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#response.reject(error);
    this.#answer?.fail(error);
    if (abort !== null) this.#scope?.abortFor(abort);
    this.#close();
  }

  #over(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#close();
  }

  #close(): void {
    this.#stopTimer();
    this.#options.request.signal?.removeEventListener('abort', this.#onAbort);
    this.#requestBody?.fail(
      this.#scope?.aborted?.reason ?? new TypeError('The request is over; its body can no longer be read.'),
    );
    this.#scope?.end();
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #givenUp({ code, message }: Abort): Error {
    return this.#platformError(code === 'timeout' ? 'timeout' : 'cancelled', code, message);
  }

  #overdue(lastsMs: number): Error {
    return this.#platformError('timeout', 'timeout', overdueText({ component: this.#wanted.to, lastsMs }));
  }

  #platformError(outcome: Outcome, code: ErrorCode, message: string): Error {
    return this.#told(outcome, code, failureText(this.#wanted, { code, message }));
  }

  #told(outcome: Outcome, code: ErrorCode, message: string): Error {
    this.#record(outcome, code);
    return fulcrumError(code, message);
  }

  /** Its outcome is known: what comes behind that is none of the record's. */
  #record(outcome: Outcome, code: ErrorCode | null): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const { caller, records } = this.#options;
    const { from, to, requestId, by } = this.#wanted;
    records.add({
      ...{ from, to, function: null, requestId, outcome, code },
      depth: (by?.depth ?? 0) + 1,
      span: this.#scope?.span ?? caller.span.child(),
      parentSpan: caller.span,
      atMs: this.#atMs,
      durationMs: performance.now() - this.#beganMs,
    });
  }
}

function fulcrumError(code: ErrorCode, message: string): Error {
  const { name } = new FulcrumError(code, message);
  return fromThrown({ name, message, stack: null, code, cause: null });
}

/** Bytes that nobody else has. */
function wholeOf(body: string | Uint8Array | null, isSole: boolean): Uint8Array | null {
  if (body === null || (isSole && typeof body !== 'string')) return body;
  return typeof body === 'string' ? Buffer.from(body) : Uint8Array.from(body);
}

/** Nobody reads what a handler answers. */
function discard(value: unknown): void {
  const body = (value as { body?: unknown } | null)?.body as ReadableStream | null | undefined;
  if (body?.locked === false) body.cancel().catch(() => undefined);
}

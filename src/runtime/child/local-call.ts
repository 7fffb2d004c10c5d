import type { ErrorCode } from '../../base/errors.ts';
import { FulcrumError } from '../../base/errors.ts';
import {
  failureText,
  outOfTimeText,
  refusalOf,
  stepOf,
  unknownFunctionText,
  type CallRules,
  type WantedCall,
} from '../../model/call-rules.ts';
import type { Outcome } from '../../model/invocation.ts';
import { fromThrown } from '../wire/thrown.ts';
import { abortOf, overdueText, type Abort } from './abort.ts';
import { thrownByAuthor } from './author-errors.ts';
import type { CallRecords } from './call-records.ts';
import { letGoOfStreams } from './held-streams.ts';
import { InvocationScope, scopes, type InvocationHost } from './invocation.ts';
import type { LocalCrossing } from './local-crossing.ts';
import type { Member } from './members.ts';
import type { NamedFunction } from './module-handlers.ts';
import { isThenable } from './thenable.ts';

export interface LocalCallOptions {
  readonly records: CallRecords;
  readonly host: InvocationHost;
  readonly rules: CallRules;
  readonly from: Member;
  /** The invocation, or the call for it, that makes this one. */
  readonly caller: InvocationScope;
  readonly to: Member;
  readonly functionName: string;
  /** What the arguments have crossed by. */
  readonly crossing: LocalCrossing;
  readonly copies: readonly unknown[];
}

/**
 * One call of a member's function by another, in one process: what the server does with a call over the wire, in the same order and with the same
 * errors. Of what it costs nearly all is the copying; there is no timer but where the function has less time than its caller, and no promise but where it
 * takes its time.
 */
export class LocalCall {
  readonly #options: LocalCallOptions;
  readonly #wanted: WantedCall;
  readonly #atMs = Date.now();
  readonly #beganMs = performance.now();
  #scope: InvocationScope | null = null;
  #state: 'running' | 'told' = 'running';
  #reject: ((error: unknown) => void) | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: LocalCallOptions) {
    const { from, to, functionName, caller } = options;
    this.#options = options;
    this.#wanted = {
      from: from.component,
      to: to.component,
      function: functionName,
      by: caller.step,
      requestId: caller.requestId,
    };
  }

  /** @returns what the function has returned, or a promise of it. Throws what it has thrown, or why it was not called. */
  made(): unknown {
    const { copies, rules, caller, to, functionName, host } = this.#options;
    const refusal = refusalOf(this.#wanted, rules);
    if (refusal !== null) throw this.#failed('refused', refusal.code, refusal.message);
    const { aborted } = caller;
    const leftMs = this.#leftMs(caller);
    if (leftMs <= 0 || aborted?.code === 'timeout')
      throw this.#platformFailed('timeout', 'timeout', outOfTimeText(this.#wanted));
    if (aborted !== null) throw this.#givenUp(aborted);
    const called = to.handlers.functions.get(functionName);
    if (called === undefined) {
      const message = unknownFunctionText(functionName, to.handlers.functions.keys());
      throw this.#platformFailed('handler-error', 'call-unknown-function', message);
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
    scope.onAbort = (abort) => this.#aborted(abort);
    let returned: unknown;
    try {
      returned = scopes.run(scope, calledWithinProcess, called, copies);
    } catch (error) {
      throw this.#threw(error);
    }
    if (!isThenable(returned)) return this.#returned(returned);
    return this.#awaited(returned);
  }

  #awaited(returned: PromiseLike<unknown>): Promise<unknown> {
    const { to, caller } = this.#options;
    const scope = this.#scope!;
    // Whoever made the invocation looks after its time; nobody does after that of an orphan.
    if (to.timeoutMs < this.#leftMs(caller) || caller.stream === null)
      this.#timer = setTimeout(
        () => scope.abortFor(abortOf('timeout', scope)),
        Math.ceil(scope.remainingMs()),
      );
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      returned.then(
        (value) => {
          if (this.#state !== 'running') return;
          try {
            resolve(this.#returned(value));
          } catch (error) {
            reject(error);
          }
        },
        (error: unknown) => {
          if (this.#state === 'running') reject(this.#threw(error));
        },
      );
    });
  }

  #leftMs(caller: InvocationScope): number {
    return caller.endsAtMs - this.#beganMs;
  }

  /** @returns what the caller gets of it. Throws why it gets nothing. */
  #returned(value: unknown): unknown {
    const scope = this.#scope!;
    if (performance.now() >= scope.endsAtMs) throw this.#overdue(scope.lastsMs);
    let copy: unknown;
    try {
      copy = this.#options.crossing.cross(value, 'result');
    } catch (error) {
      if (!(error instanceof FulcrumError)) throw this.#threw(error);
      throw this.#platformFailed('handler-error', error.code, error.message);
    }
    this.#tell('ok', null);
    this.#end();
    return copy;
  }

  /** The function has thrown. @returns the error as its caller gets it. */
  #threw(value: unknown): Error {
    this.#tell('handler-error', 'handler-error');
    this.#end();
    return fromThrown(thrownByAuthor(value, withoutCaller));
  }

  #aborted(abort: Abort): void {
    if (this.#state !== 'running') {
      this.#options.crossing.giveUp(abort.reason);
      return;
    }
    this.#reject?.(this.#givenUp(abort));
  }

  #givenUp({ code, message }: Abort): Error {
    return this.#platformFailed(code === 'timeout' ? 'timeout' : 'cancelled', code, message);
  }

  #overdue(lastsMs: number): Error {
    const message = overdueText({ component: this.#wanted.to, lastsMs });
    return this.#platformFailed('timeout', 'timeout', message);
  }

  #platformFailed(outcome: Outcome, code: ErrorCode, message: string): Error {
    return this.#failed(outcome, code, failureText(this.#wanted, { code, message }));
  }

  #failed(outcome: Outcome, code: ErrorCode, message: string): Error {
    this.#tell(outcome, code);
    const { crossing } = this.#options;
    if (!crossing.isPlain) crossing.giveUp(new FulcrumError(code, message));
    if (this.#scope !== null) this.#over(this.#scope);
    return fromThrown({ name: 'FulcrumError', message, stack: null, code, cause: null });
  }

  /** Its outcome is known. */
  #tell(outcome: Outcome, code: ErrorCode | null): void {
    if (this.#state !== 'running') return;
    this.#state = 'told';
    if (this.#timer !== null) clearTimeout(this.#timer);
    const { caller, records } = this.#options;
    const { from, to, requestId, by } = this.#wanted;
    records.add({
      from,
      to,
      function: this.#wanted.function,
      requestId,
      outcome,
      code,
      depth: (by?.depth ?? 0) + 1,
      span: this.#scope?.span ?? caller.span.child(),
      parentSpan: caller.span,
      atMs: this.#atMs,
      durationMs: performance.now() - this.#beganMs,
    });
  }

  #over(scope: InvocationScope): void {
    letGoOfStreams(scope);
    scope.end();
  }

  /** It is over when the streams in its result are. */
  #end(): void {
    const scope = this.#scope!;
    const { crossing, caller } = this.#options;
    if (crossing.isPlain) return this.#over(scope);
    crossing.endWith(caller);
    scope.answered();
    void crossing.returned().then(() => this.#over(scope));
  }
}

/** By its name a stack is cut: above it stands the function's own part, below it the caller's, which is told by itself. */
export function calledWithinProcess(called: NamedFunction, args: readonly unknown[]): unknown {
  return called(...args);
}

export function withoutCaller(stack: string): string {
  const at = stack.indexOf(`\n    at ${calledWithinProcess.name} (`);
  return at === -1 ? stack : stack.slice(0, at);
}

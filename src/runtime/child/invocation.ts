import { AsyncLocalStorage } from 'node:async_hooks';
import type { CallStep, ThrownError } from '../../model/invocation.ts';
import type { Context } from '../../sdk/handler-types.ts';
import { abortOf, type Abort } from './abort.ts';
import { thrownByAuthor } from './author-errors.ts';
import { Span } from './span.ts';

/** What code that runs is known by, however deep it runs. */
export interface Scope {
  /** Null outside of invocations: while a member of a group is loaded, or begins. */
  readonly requestId: string | null;
  /** The stream that carries the invocation; null where none does. */
  readonly stream: number | null;
  /** The member of a group whose code it is; null where the process holds one component. */
  readonly member: string | null;
}

export const scopes = new AsyncLocalStorage<Scope>();

/** What an invocation needs of the process that runs it. */
export interface InvocationHost {
  /** Writes to the component's log, as a line of the invocation. */
  report(scope: Scope, text: string): void;
}

export interface ScopeOptions {
  readonly host: InvocationHost;
  readonly stream: number | null;
  readonly requestId: string;
  readonly component: string;
  readonly member: string | null;
  readonly remainingMs: number;
  readonly traceparent: string;
  /** The call that it is; null where nobody has called it, or nobody asks, as of a component by itself. */
  readonly step: CallStep | null;
  /** Of a call within the process: whoever makes it. */
  readonly caller?: InvocationScope | null;
}

/**
 * One invocation, or a call that is made within the process for it: what code that runs for it has, and what ends it. It lasts until {@link end}; what has
 * been given to waitUntil may go on behind that, and hears of an abort still.
 */
export class InvocationScope implements Scope {
  readonly requestId: string;
  readonly stream: number | null;
  readonly component: string;
  readonly member: string | null;
  readonly step: CallStep | null;
  readonly span: Span;
  /** How long it may take in all. */
  readonly lastsMs: number;
  /** When its time is up, by performance.now(). */
  readonly endsAtMs: number;
  /** Whoever has called it within the process; null where it is an invocation of its own. */
  readonly caller: InvocationScope | null;
  /** Called when it aborts, before its signal does. */
  onAbort: ((abort: Abort) => void) | null = null;
  readonly #root: InvocationScope;
  readonly #host: InvocationHost;
  /** Made when somebody asks for its signal. */
  #controller: AbortController | null = null;
  #abort: Abort | null = null;
  #context: HandlerContext | null = null;
  /** Promises given to waitUntil, here and, of an invocation, in all that was called for it. */
  #waiting = 0;
  /** Calls within the process for this invocation. */
  #running = 0;
  #onSettled: (() => void) | null = null;
  #isOver = false;
  #hasAnswered = false;
  #atEnd: Set<() => void> | null = null;
  /** What was called here and is not over: a list without a list. */
  #firstCalled: InvocationScope | null = null;
  #next: InvocationScope | null = null;
  #previous: InvocationScope | null = null;

  constructor(options: ScopeOptions) {
    const caller = options.caller ?? null;
    this.#host = options.host;
    this.stream = options.stream;
    this.requestId = options.requestId;
    this.component = options.component;
    this.member = options.member;
    this.step = options.step;
    this.caller = caller;
    this.lastsMs = options.remainingMs;
    this.endsAtMs = performance.now() + options.remainingMs;
    if (caller === null) {
      this.#root = this;
      this.span = Span.of(options.traceparent);
      return;
    }
    this.#root = caller.#root;
    this.span = caller.span.child();
    this.#next = caller.#firstCalled;
    if (this.#next !== null) this.#next.#previous = this;
    caller.#firstCalled = this;
    this.#root.#running++;
  }

  /** The third argument of every handler, and what `context()` gives; see `Context` in the sdk. */
  get context(): Context {
    return (this.#context ??= new HandlerContext(this, (promise) => this.#waitUntil(promise)));
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#abort !== null) this.#controller.abort(this.#abort.reason);
    }
    return this.#controller.signal;
  }

  /** Why it was given up; null where it was not. */
  get aborted(): Abort | null {
    return this.#abort;
  }

  /** What is begun from here now is not the invocation's any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  remainingMs(): number {
    return Math.max(0, this.endsAtMs - performance.now());
  }

  /** Runs the author's code as part of the invocation. */
  run<T>(code: () => T): T {
    return scopes.run(this, code);
  }

  /** It is given up, and with it all that was called within the process for it. @param code that of the platform's error. */
  abort(code: string): void {
    this.abortFor(abortOf(code, this));
  }

  abortFor(abort: Abort): void {
    if (this.#abort !== null) return;
    this.#abort = abort;
    this.onAbort?.(abort);
    const controller = this.#controller;
    if (controller !== null) this.run(() => controller.abort(abort.reason));
    for (let called = this.#firstCalled; called !== null;) {
      const next: InvocationScope | null = called.#next;
      called.abortFor(abort);
      called = next;
    }
  }

  /** Whether an end must wait: for promises given to waitUntil, or calls within the process that nobody has awaited. */
  get waits(): boolean {
    return this.#waiting > 0 || this.#running > 0;
  }

  /** Whether promises given to waitUntil have not settled yet. */
  get waitsUntil(): boolean {
    return this.#waiting > 0;
  }

  /** Resolves when there is nothing to wait for. */
  async settled(): Promise<void> {
    if (!this.waits) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onSettled = resolve;
    await promise;
  }

  /** Of a call within the process: what is left of it goes on as somebody asks for it, and keeps nobody waiting. */
  answered(): void {
    if (this.#hasAnswered || this.caller === null) return;
    this.#hasAnswered = true;
    this.#root.#running--;
    this.#root.#settle();
  }

  /** Calls `run` when it is over. @returns what takes that back. */
  atEnd(run: () => void): () => void {
    const all = (this.#atEnd ??= new Set());
    all.add(run);
    return () => void all.delete(run);
  }

  /** It is over. */
  end(): void {
    if (this.#isOver) return;
    this.answered();
    this.#isOver = true;
    this.#leave();
    for (const run of this.#atEnd ?? []) run();
    this.#atEnd = null;
  }

  report(text: string): void {
    this.#host.report(this, text);
  }

  /** Nothing of it goes on: nobody has to tell it of an abort. */
  #leave(): void {
    const { caller } = this;
    if (caller === null || !this.#isOver || this.#waiting > 0 || this.#firstCalled !== null) return;
    if (this.#previous !== null) this.#previous.#next = this.#next;
    else if (caller.#firstCalled === this) caller.#firstCalled = this.#next;
    if (this.#next !== null) this.#next.#previous = this.#previous;
    this.#previous = null;
    this.#next = null;
    if (caller.#isOver) caller.#leave();
  }

  #settle(): void {
    if (this.waits) return;
    this.#onSettled?.();
  }

  #waitUntil(promise: unknown): void {
    const root = this.#root;
    this.#waiting++;
    if (root !== this) root.#waiting++;
    void this.#outcome(promise).then(() => {
      this.#waiting--;
      if (root !== this) root.#waiting--;
      this.#leave();
      root.#settle();
    });
  }

  async #outcome(promise: unknown): Promise<void> {
    try {
      await promise;
    } catch (error) {
      this.report(`A promise given to waitUntil was rejected: ${stackOf(error)}`);
    }
  }
}

/** What the author sees of an invocation. Its members may be taken off it; the signal is made when it is asked for. */
class HandlerContext implements Context {
  readonly requestId: string;
  readonly component: string;
  readonly waitUntil: (promise: Promise<unknown>) => void;
  readonly remainingMs: () => number;
  readonly #scope: InvocationScope;

  constructor(scope: InvocationScope, waitUntil: (promise: Promise<unknown>) => void) {
    this.#scope = scope;
    this.requestId = scope.requestId;
    this.component = scope.component;
    this.waitUntil = waitUntil;
    this.remainingMs = () => scope.remainingMs();
  }

  get signal(): AbortSignal {
    return this.#scope.signal;
  }
}

/** What `error` says of itself at most: its stack, with its causes. */
export function stackOf(error: unknown): string {
  const parts: string[] = [];
  for (let thrown: ThrownError | null = thrownByAuthor(error); thrown !== null; thrown = thrown.cause) {
    const head = `${thrown.name}: ${thrown.message}`;
    const code = thrown.code === null ? '' : ` (code ${thrown.code})`;
    parts.push(thrown.stack === null || thrown.stack === '' ? `${head}${code}` : thrown.stack);
  }
  return parts.join('\n  caused by ');
}

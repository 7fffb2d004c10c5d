import { AsyncLocalStorage } from 'node:async_hooks';
import type { ThrownError } from '../../model/invocation.ts';
import { thrownByAuthor } from './author-errors.ts';

/** What code that runs in an invocation is known by, however deep it runs. */
export interface Scope {
  readonly requestId: string;
  /** The stream that carries it. */
  readonly stream: number;
}

export const scopes = new AsyncLocalStorage<Scope>();

/** What an invocation needs of the instance that runs it. */
export interface InvocationHost {
  readonly component: string;
  /** Writes to the component's log, as a line of the invocation. */
  report(scope: Scope, text: string): void;
}

/** The third argument of every handler; see `Context` in the sdk. */
export class InvocationScope implements Scope {
  readonly requestId: string;
  readonly stream: number;
  /** The context that the author sees. Its members may be taken off it. */
  readonly context: {
    readonly requestId: string;
    readonly component: string;
    readonly signal: AbortSignal;
    waitUntil(promise: Promise<unknown>): void;
    remainingMs(): number;
  };
  readonly #host: InvocationHost;
  /** Made when somebody asks for its signal, or it aborts. */
  #abort: AbortController | null = null;
  #waiting = 0;
  #onSettled: (() => void) | null = null;

  constructor(host: InvocationHost, stream: number, requestId: string, remainingMs: number) {
    this.#host = host;
    this.stream = stream;
    this.requestId = requestId;
    const endsAtMs = performance.now() + remainingMs;
    this.context = new HandlerContext(
      this,
      host.component,
      (promise) => this.#waitUntil(promise),
      () => Math.max(0, endsAtMs - performance.now()),
    );
  }

  get signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal;
  }

  /** Runs the author's code as part of the invocation. */
  run<T>(code: () => T): T {
    return scopes.run(this, code);
  }

  /** `code` is that of the platform's error. */
  abort(code: string): void {
    if (this.signal.aborted) return;
    this.run(() => this.#abort!.abort(abortReason(code)));
  }

  /** Whether promises given to waitUntil have not settled yet. */
  get waits(): boolean {
    return this.#waiting > 0;
  }

  /** Resolves when all promises given to waitUntil have settled. */
  async settled(): Promise<void> {
    if (this.#waiting === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onSettled = resolve;
    await promise;
  }

  report(text: string): void {
    this.#host.report(this, text);
  }

  #waitUntil(promise: unknown): void {
    this.#waiting++;
    void this.#outcome(promise).then(() => {
      this.#waiting--;
      if (this.#waiting === 0) this.#onSettled?.();
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
class HandlerContext {
  readonly requestId: string;
  readonly component: string;
  readonly waitUntil: (promise: Promise<unknown>) => void;
  readonly remainingMs: () => number;
  readonly #scope: InvocationScope;

  constructor(
    scope: InvocationScope,
    component: string,
    waitUntil: (promise: Promise<unknown>) => void,
    remainingMs: () => number,
  ) {
    this.#scope = scope;
    this.requestId = scope.requestId;
    this.component = component;
    this.waitUntil = waitUntil;
    this.remainingMs = remainingMs;
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

function abortReason(code: string): DOMException {
  switch (code) {
    case 'timeout':
      return new DOMException('The invocation has taken longer than its timeout allows.', 'TimeoutError');
    case 'client-gone':
      return new DOMException('The client went away.', 'AbortError');
    case 'shutting-down':
      return new DOMException('The instance is to end.', 'AbortError');
    default:
      return new DOMException(`The invocation was given up (${code}).`, 'AbortError');
  }
}

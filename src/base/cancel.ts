/** The part of AbortSignal that this project goes by. An AbortSignal is one; so is the light {@link CancelSource}. */
export interface CancelSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: CancelListener, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: CancelListener): void;
}

export type CancelListener = (() => void) | CancelObject;

interface CancelObject {
  handleEvent(): void;
}

/**
 * A cancellation that costs one small object. An AbortController with two listeners takes 3 µs, a third of what a plain Node
 * server spends on a request, and nearly every request ends without being cancelled.
 */
export class CancelSource implements CancelSignal {
  #aborted = false;
  #reason: unknown = undefined;
  /** Nearly always one, so that no list is made for it. */
  #first: CancelListener | null = null;
  #others: CancelListener[] | null = null;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** Tells every listener once, in the order in which they came. Only the first call counts. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    const first = this.#first;
    const others = this.#others;
    this.#first = null;
    this.#others = null;
    if (first !== null) call(first);
    if (others !== null) for (const listener of others) call(listener);
  }

  addEventListener(_type: 'abort', listener: CancelListener): void {
    if (this.#aborted) return;
    if (this.#first === null && this.#others === null) this.#first = listener;
    else (this.#others ??= []).push(listener);
  }

  removeEventListener(_type: 'abort', listener: CancelListener): void {
    if (this.#first === listener) this.#first = null;
    else if (this.#others !== null) this.#others = this.#others.filter((other) => other !== listener);
  }
}

function call(listener: CancelListener): void {
  if (typeof listener === 'function') listener();
  else listener.handleEvent();
}

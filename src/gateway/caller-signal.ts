import type { FulcrumError } from '../base/errors.ts';

/** An abort signal that is made when somebody asks for it: most requests end before anybody aborts them. */
export class CallerSignal {
  #controller: AbortController | null = null;
  #reason: FulcrumError | null = null;

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#reason !== null) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Aborts with `reason`; only the first one counts. */
  abort(reason: FulcrumError): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

import type { FulcrumError } from '../base/errors.ts';

/** Is told how requests ended, one call for each: what a canary is judged by. */
export interface OutcomeSink {
  /** @param failed the answer was the app's or the platform's fault, or broke off by it; never for what the client did. */
  ended(status: number, failed: boolean): void;
}

/** Counts how the requests of one release ended. */
export class OutcomeCounts implements OutcomeSink {
  #total = 0;
  #failed = 0;

  get total(): number {
    return this.#total;
  }

  get failed(): number {
    return this.#failed;
  }

  ended(_status: number, failed: boolean): void {
    this.#total++;
    if (failed) this.#failed++;
  }
}

/** An answer of a handler's own counts by its status; one that went wrong by whose fault that was, whatever status had gone out. */
export function hasFailed(status: number, error: FulcrumError | null): boolean {
  return error === null ? status >= 500 : error.fault !== 'caller';
}

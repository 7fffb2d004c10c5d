import type { CallStep } from '../model/invocation.ts';

/**
 * Which calls were begun again, so that in a chain of them one is at most: where each of its links were tried three times, its last
 * would be begun 3 times 3 times …, and hold up all the others meanwhile. What is called in the course of a repeated call is not repeated,
 * nor is a call in whose course another was. Weak: a chain lasts as long as its invocations.
 */
export class Repeats {
  readonly #repeated = new WeakSet<CallStep>();
  /** Those in whose course another was repeated. */
  readonly #spent = new WeakSet<CallStep>();

  mayRepeat(step: CallStep): boolean {
    if (this.#spent.has(step)) return false;
    for (let by = step.by; by !== null; by = by.by) if (this.#repeated.has(by)) return false;
    return true;
  }

  repeats(step: CallStep): void {
    this.#repeated.add(step);
    for (let by = step.by; by !== null; by = by.by) this.#spent.add(by);
  }
}

import type { Decision } from '../model/status.ts';

/** So many of a component are kept, the latest. */
export const KEPT_DECISIONS = 50;

/** Why a component's instances came and went: a ring of the latest, whatever revision or mode they were of. */
export class Decisions {
  readonly #ring: Decision[] = [];
  #next = 0;

  add(decision: Decision): void {
    this.#ring[this.#next] = decision;
    this.#next = (this.#next + 1) % KEPT_DECISIONS;
  }

  /** The oldest first. */
  all(): readonly Decision[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
  }
}

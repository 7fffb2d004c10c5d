/** How many requests a client may take back: so many at once, and so many more with each second. Knows no clock. */
export class ResetBudget {
  readonly #most: number;
  readonly #perS: number;
  #left: number;
  #sinceMs: number;

  constructor(most: number, perS: number, nowMs: number) {
    this.#most = most;
    this.#perS = perS;
    this.#left = most;
    this.#sinceMs = nowMs;
  }

  /** One was taken back. @returns whether that was still within what it may. */
  spend(nowMs: number): boolean {
    this.#left = Math.min(this.#most, this.#left + ((nowMs - this.#sinceMs) / 1_000) * this.#perS);
    this.#sinceMs = nowMs;
    this.#left--;
    return this.#left >= 0;
  }
}

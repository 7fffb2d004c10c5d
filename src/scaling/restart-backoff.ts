/** The waiting time before the first retry; each further failure doubles it. */
const FIRST_DELAY_MS = 100;
export const LONGEST_DELAY_MS = 30_000;
/** So long without a failure, and the next one is a first one again. */
const STABLE_MS = 60_000;

/**
 * When a component may be started again after a start failed or a replica died. Failures that come while a retry is
 * already put off count once: ten replicas that die together are one incident.
 */
export class RestartBackoff {
  #failures = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;

  /** Failures since the last success or stable minute. */
  get failures(): number {
    return this.#failures;
  }

  /** Monotonic time before which nothing may be started. */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  failed(nowMs: number): void {
    if (nowMs < this.#retryAtMs) return;
    if (nowMs - this.#retryAtMs >= STABLE_MS) this.#failures = 0;
    // 2 ** 1024 is Infinity, which the bound still turns into the longest delay.
    this.#retryAtMs = nowMs + Math.min(FIRST_DELAY_MS * 2 ** this.#failures, LONGEST_DELAY_MS);
    this.#failures++;
  }

  /** A start went well: what failed before is forgotten. */
  succeeded(): void {
    this.#failures = 0;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }
}

/** The waiting time before the first retry; each further failure doubles it. */
const FIRST_DELAY_MS = 100;
export const LONGEST_DELAY_MS = 30_000;
/** The same where the machine had no room: that is over as soon as something else has ended, and no start is wrong that meets it. */
const LONGEST_SHORTAGE_MS = 2_000;
/** So long without a failure, and the next one is a first one again. */
const STABLE_MS = 60_000;

/** Whose fault a failure was: the revision's own, or a machine's without room for it. */
export type FailedFor = 'revision' | 'shortage';

/**
 * When a component may be started again after a start failed or a replica died. Failures that come while a retry is
 * already put off count once: ten replicas that die together are one incident. Those of another kind begin anew.
 */
export class RestartBackoff {
  #failures = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #latest: FailedFor = 'revision';

  /** Failures since the last success or stable minute. */
  get failures(): number {
    return this.#failures;
  }

  /** Monotonic time before which nothing may be started. */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  /** What the latest failure was for; only where there is one. */
  get latest(): FailedFor {
    return this.#latest;
  }

  failed(nowMs: number, why: FailedFor = 'revision'): void {
    if (nowMs < this.#retryAtMs) return;
    if (nowMs - this.#retryAtMs >= STABLE_MS || why !== this.#latest) this.#failures = 0;
    this.#latest = why;
    const longestMs = why === 'shortage' ? LONGEST_SHORTAGE_MS : LONGEST_DELAY_MS;
    // 2 ** 1024 is Infinity, which the bound still turns into the longest delay.
    this.#retryAtMs = nowMs + Math.min(FIRST_DELAY_MS * 2 ** this.#failures, longestMs);
    this.#failures++;
  }

  /** A start went well: what failed before is forgotten. */
  succeeded(): void {
    this.#failures = 0;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }
}

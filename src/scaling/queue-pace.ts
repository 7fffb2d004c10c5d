/** What was seen so long ago counts for a third of what is seen now. */
const MEMORY_MS = 10_000;
/** Until then, a queue that nobody has been served from says nothing: the first instance may be starting. */
const TOO_EARLY_MS = 1_000;
const MOST_S = 30;

/**
 * How fast a queue is served, so that whoever is turned away can be told when to come again. Measured while somebody waits and at no
 * other time: how many are served from an empty queue says how many come, not how many could. Times are monotonic.
 */
export class QueuePace {
  #served = 0;
  #waitedOnMs = 0;
  /** Until when it has been reckoned; null while nobody waits. */
  #untilMs: number | null = null;

  /** Somebody waits, and nobody did. */
  began(nowMs: number): void {
    this.#untilMs = nowMs;
  }

  /** One of those who wait got what it waited for. */
  served(nowMs: number): void {
    this.#pass(nowMs);
    this.#served += 1;
  }

  /** Nobody waits any more. */
  emptied(nowMs: number): void {
    this.#pass(nowMs);
    this.#untilMs = null;
  }

  /** In how many seconds those who wait now will have been served, 1 to 30. */
  waitS(waiting: number, nowMs: number): number {
    this.#pass(nowMs);
    if (this.#served < 1 && this.#waitedOnMs < TOO_EARLY_MS) return 1;
    const eachMs = this.#waitedOnMs / Math.max(1, this.#served);
    return Math.min(MOST_S, Math.max(1, Math.ceil((waiting * eachMs) / 1_000)));
  }

  #pass(nowMs: number): void {
    if (this.#untilMs === null || nowMs <= this.#untilMs) return;
    const kept = Math.exp((this.#untilMs - nowMs) / MEMORY_MS);
    this.#served *= kept;
    this.#waitedOnMs = this.#waitedOnMs * kept + MEMORY_MS * (1 - kept);
    this.#untilMs = nowMs;
  }
}

const SLOT_MS = 5_000;
const SLOTS = 12;

/** Counts what happened within the last minute: a ring of twelve slots of five seconds. */
export class MinuteCount {
  readonly #counts = new Float64Array(SLOTS);
  /** Which stretch of monotonic time each holds, counted in slots; older ones are stale. */
  readonly #numbers = new Float64Array(SLOTS).fill(-1);

  /** @param nowMs monotonic. */
  add(nowMs: number): void {
    const number = Math.floor(nowMs / SLOT_MS);
    const place = number % SLOTS;
    if (this.#numbers[place] !== number) {
      this.#numbers[place] = number;
      this.#counts[place] = 0;
    }
    this.#counts[place]! += 1;
  }

  /** @param nowMs monotonic. */
  total(nowMs: number): number {
    const oldest = Math.floor(nowMs / SLOT_MS) - SLOTS + 1;
    let total = 0;
    for (let i = 0; i < SLOTS; i++) if (this.#numbers[i]! >= oldest) total += this.#counts[i]!;
    return total;
  }
}

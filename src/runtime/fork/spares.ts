/** How many instances of a function, and blank zygotes, are forked before anybody asks for them, by how often one has been asked for. */

/** What was asked for so long ago hardly counts any more. */
const MEMORY_MS = 2_000;
/** Two starts within seconds are the beginning of more; one may be all there is for hours. */
const STEADY_PER_S = 0.6;
/** One spare is made again, on a busy machine, before the next start comes at this rate. */
const PER_SPARE_PER_S = 20;
const MAX_SPARES = 4;
/** A blank zygote takes some 25 ms until it waits. */
const PER_BLANK_PER_S = 8;
const MAX_BLANKS = 8;

/** Starts per second, of which older ones count less. */
export class StartRate {
  #perS = 0;
  #atMs = 0;

  started(nowMs: number): void {
    this.#perS = this.perS(nowMs) + 1_000 / MEMORY_MS;
    this.#atMs = nowMs;
  }

  perS(nowMs: number): number {
    return this.#perS * Math.exp((this.#atMs - nowMs) / MEMORY_MS);
  }
}

export function sparesFor(startsPerS: number): number {
  if (startsPerS < STEADY_PER_S) return 0;
  return Math.min(MAX_SPARES, 1 + Math.floor(startsPerS / PER_SPARE_PER_S));
}

/** One always waits: the first start after hours is what people see as cold. */
export function blanksFor(startsPerS: number): number {
  return Math.min(MAX_BLANKS, 1 + Math.floor(startsPerS / PER_BLANK_PER_S));
}

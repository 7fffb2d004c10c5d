/**
 * How long a component is usually idle, and what follows from it: the hybrid histogram policy of Shahrad et al.,
 * "Serverless in the Wild", USENIX ATC 2020, section 4.2.
 *
 * An idle time begins when nothing of the component is in flight any more and ends with the next arrival. Each falls into
 * one of 240 bins of a minute, or out of bounds. A worked example, a component used about every half hour:
 *
 *   bin (min)        15   29   30   31   59   out of bounds
 *   idle times        1    4   30    4    1   0
 *
 * 40 idle times; 5 % of them is 2, reached in bin 29: the head is 29 min. 99 % is 39.6, reached in bin 59: the tail is
 * 60 min. With the paper's margin of a tenth on either side nothing is kept until 26.1 min after the last use, then one
 * instance until 66 min after it.
 */

/** How long after the last use one instance should be there. */
export interface KeepAliveVerdict {
  /** It may end until then; 0: it stays. */
  readonly prewarmAfterMs: number;
  /** From the last use, not from `prewarmAfterMs`. */
  readonly keepMs: number;
}

const BIN_MS = 60_000;
/** Four hours, the paper's range: https://www.usenix.org/conference/atc20/presentation/shahrad, section 4.2 and figure 15. */
const BINS = 240;
const HEAD = 0.05;
const TAIL = 0.99;
/** Nearer by a tenth before, later by a tenth after, as in the paper. */
const MARGIN = 0.1;
/** The paper's threshold for the coefficient of variation of the bins' counts (figure 18): below, they are too much alike to tell anything. */
const LEAST_VARIATION = 2;
/**
 * The paper gives no number, and one sample alone varies by 15. In the replay of `replay.test.ts` 5 instead of 10 meant 17 % fewer cold
 * starts at the same memory, 20 a quarter more: what is regular shows early, and what is not costs one instance's memory.
 */
const LEAST_SAMPLES = 5;
/** With more of them out of bounds, the paper turns to a time series; here the fixed keep-alive holds. */
const MOST_OUT_OF_BOUNDS = 0.5;
/** Counts are halved at so many, so that a component in steady use can change its habits within as many uses. */
const MOST_SAMPLES = 2_048;
/** And at this age: the paper keeps two weeks of daily histograms. */
const HALF_LIFE_MS = 7 * 86_400_000;

/** The idle times of one component: a kilobyte, whatever happens. Older ones count less. */
export class IdleHistogram {
  // Fractions, because halves of halves must not be lost.
  readonly #bins = new Float32Array(BINS);
  #within = 0;
  #outOfBounds = 0;
  #fadedAtMs: number | null = null;
  /** Idle times that `#verdict` does not know of. */
  #unjudged = 0;
  #verdict: KeepAliveVerdict | null = null;

  /** How much is known: counts that have faded count as fractions. */
  get samples(): number {
    return this.#within + this.#outOfBounds;
  }

  get outOfBounds(): number {
    return this.#outOfBounds;
  }

  /** Counts by the minute. */
  get bins(): ArrayLike<number> {
    return this.#bins;
  }

  /** Takes constant time. @param atMs when it ended; any clock that does not go back, the same each time. */
  add(idleMs: number, atMs: number): void {
    this.#fade(atMs);
    const bin = Math.floor(idleMs / BIN_MS);
    if (bin < BINS) {
      this.#bins[bin]! += 1;
      this.#within++;
    } else {
      this.#outOfBounds++;
    }
    this.#unjudged++;
  }

  /** What {@link keepAliveFor} says, looked at again only once there is a sixteenth more to look at. */
  verdict(): KeepAliveVerdict | null {
    if (this.#unjudged > this.samples / 16) {
      this.#verdict = keepAliveFor(this);
      this.#unjudged = 0;
    }
    return this.#verdict;
  }

  #fade(atMs: number): void {
    this.#fadedAtMs ??= atMs;
    const halfLives = Math.floor((atMs - this.#fadedAtMs) / HALF_LIFE_MS);
    if (halfLives > 0) {
      this.#fadedAtMs += halfLives * HALF_LIFE_MS;
      this.#scale(0.5 ** halfLives);
    }
    if (this.samples >= MOST_SAMPLES) this.#scale(0.5);
  }

  #scale(by: number): void {
    this.#within = 0;
    for (let i = 0; i < BINS; i++) this.#within += this.#bins[i]! *= by;
    this.#outOfBounds *= by;
  }
}

/** The policy. Null where the histogram tells nothing: too few samples, too many out of bounds, or bins too much alike. */
export function keepAliveFor(
  histogram: Pick<IdleHistogram, 'samples' | 'outOfBounds' | 'bins'>,
): KeepAliveVerdict | null {
  const { samples, outOfBounds, bins } = histogram;
  const within = samples - outOfBounds;
  if (samples < LEAST_SAMPLES || outOfBounds > samples * MOST_OUT_OF_BOUNDS) return null;
  if (variation(bins, within) < LEAST_VARIATION) return null;
  const head = percentileBin(bins, within * HEAD);
  const tail = percentileBin(bins, within * TAIL) + 1;
  return {
    prewarmAfterMs: Math.round(head * BIN_MS * (1 - MARGIN)),
    keepMs: Math.round(tail * BIN_MS * (1 + MARGIN)),
  };
}

/** The coefficient of variation of the counts: their standard deviation over their mean. */
function variation(bins: ArrayLike<number>, within: number): number {
  const mean = within / bins.length;
  let squares = 0;
  for (let i = 0; i < bins.length; i++) squares += (bins[i]! - mean) ** 2;
  return Math.sqrt(squares / bins.length) / mean;
}

/** The first bin with which `rank` samples are counted. */
function percentileBin(bins: ArrayLike<number>, rank: number): number {
  let counted = 0;
  for (let i = 0; i < bins.length; i++) {
    counted += bins[i]!;
    // Sums of fractions may fall short of their total by a rounding error.
    if (counted >= rank - 1e-6) return i;
  }
  return bins.length - 1;
}

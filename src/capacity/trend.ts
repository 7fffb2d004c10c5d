/**
 * A straight line through points with robust slope: the median of the slopes of all pairs (Theil 1950, Sen, "Estimates of the Regression
 * Coefficient Based on Kendall's Tau", JASA 1968). Up to 29 % of the points may be anything at all, a spike or an outage, and the line stays.
 */
export interface Trend {
  /** Per unit of x. */
  readonly slope: number;
  /** Between these the slope lies in four of five cases. */
  readonly slopeLow: number;
  readonly slopeHigh: number;
  /** The middle of the x there were, and the line's y there… */
  readonly middleX: number;
  readonly middleY: number;
  /** …with the half of the interval that it lies in, in four of five cases. */
  readonly middleError: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The normal distribution's 90 % quantile: every band in this room is of 80 %, so that one in ten lies above and one in ten below. */
const Z = 1.2816;
/** What a median's error is to a mean's, in normal noise: √(π/2). */
const MEDIAN_TO_MEAN = 1.2533;
/** What the median absolute deviation is to the standard deviation, in normal noise. */
const MAD_TO_SIGMA = 1.4826;
/** Days that hang together more than this tell hardly anything new each, and the correction would grow without bound. */
const MOST_CORRELATION = 0.8;

/** @param points by rising x, two at least; at most some hundred, for the work grows with the square. */
export function theilSen(points: readonly Point[]): Trend {
  const slopes: number[] = [];
  for (let i = 0; i < points.length; i++) {
    for (let j = i + 1; j < points.length; j++) {
      const run = points[j]!.x - points[i]!.x;
      if (run > 0) slopes.push((points[j]!.y - points[i]!.y) / run);
    }
  }
  slopes.sort(byValue);
  const slope = slopes.length === 0 ? 0 : medianOfSorted(slopes);
  const middleX = (points[0]!.x + points.at(-1)!.x) / 2;
  const middleY = median(points.map(({ x, y }) => y - slope * (x - middleX)));
  const rest = points.map(({ x, y }) => y - middleY - slope * (x - middleX));
  const inflation = inflationOf(rest);
  const n = points.length;
  const sigma = MAD_TO_SIGMA * median(rest.map(Math.abs));
  const spread = Z * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18) * inflation;
  const at = (rank: number): number => slopes[Math.min(Math.max(rank, 0), slopes.length - 1)] ?? slope;
  return {
    slope,
    slopeLow: at(Math.floor((slopes.length - spread) / 2)),
    slopeHigh: at(Math.ceil((slopes.length + spread) / 2)),
    middleX,
    middleY,
    middleError: (Z * MEDIAN_TO_MEAN * sigma * inflation) / Math.sqrt(n),
  };
}

export function median(values: readonly number[]): number {
  return medianOfSorted([...values].sort(byValue));
}

/** The value below which a share `q` of them lies, between neighbours by their distance; 0 of none. */
export function quantileOfSorted(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) return 0;
  const place = Math.min(Math.max(q, 0), 1) * (sorted.length - 1);
  const below = Math.floor(place);
  const lower = sorted[below]!;
  const upper = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return lower + (upper - lower) * (place - below);
}

export function byValue(a: number, b: number): number {
  return a - b;
}

function medianOfSorted(sorted: readonly number[]): number {
  return quantileOfSorted(sorted, 0.5);
}

/**
 * How much wider an interval becomes because neighbouring days are alike: the square root of (1 + r) / (1 - r) with r the
 * correlation of each with the next (Bayley and Hammersley 1946; for this test Hamed and Rao, J. Hydrology 1998).
 */
function inflationOf(rest: readonly number[]): number {
  let own = 0;
  let next = 0;
  for (let i = 0; i < rest.length; i++) {
    own += rest[i]! ** 2;
    if (i > 0) next += rest[i]! * rest[i - 1]!;
  }
  const correlation = own === 0 ? 0 : Math.min(Math.max(next / own, 0), MOST_CORRELATION);
  return Math.sqrt((1 + correlation) / (1 - correlation));
}

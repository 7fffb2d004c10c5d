/** A logarithmic axis from a power of ten to another. */
export interface LogScale {
  readonly from: number;
  readonly to: number;
  /** The powers of ten, ascending, both ends included; every second, third, … where there are many. */
  readonly ticks: readonly number[];
  /** 0 at `from`, 1 at `to`; what is beyond is at the end. */
  at(value: number): number;
}

/** What is less than the largest by more than this is at the bottom: nobody sees a difference there. */
const MOST_DECADES = 8;

/** An axis on which all positive `values` find room; null where there is none. @param mostTicks at least 2. */
export function logScale(values: readonly number[], mostTicks: number): LogScale | null {
  const positive = values.filter((value) => value > 0 && value < Infinity);
  if (positive.length === 0) return null;
  const most = Math.max(...positive);
  const last = ceilPower(most);
  const first = Math.min(last - 1, Math.max(floorPower(Math.min(...positive)), last - MOST_DECADES));
  const step = Math.max(1, Math.ceil((last - first) / (mostTicks - 1)));
  const ticks: number[] = [];
  for (let power = last; power >= first; power -= step) ticks.unshift(10 ** power);
  return {
    from: 10 ** first,
    to: 10 ** last,
    ticks,
    at: (value) => Math.min(1, Math.max(0, (Math.log10(value) - first) / (last - first))),
  };
}

/** The cost at any rate between those of a curve, as a straight line between the two on both logarithmic axes. Null beyond, or beside nothing. */
export function between(
  points: readonly (readonly [rate: number, cost: number | null])[],
  rate: number,
): number | null {
  const next = points.findIndex(([at]) => at >= rate);
  if (next === -1) return null;
  const [toRate, toCost] = points[next]!;
  if (toRate === rate) return positive(toCost);
  const [fromRate, fromCost] = points[next - 1] ?? [0, null];
  const [from, to] = [positive(fromCost), positive(toCost)];
  if (from === null || to === null || !(fromRate > 0)) return null;
  const share = Math.log(rate / fromRate) / Math.log(toRate / fromRate);
  return Math.exp(Math.log(from) + share * Math.log(to / from));
}

function positive(value: number | null): number | null {
  return value !== null && value > 0 ? value : null;
}

/** Powers are exact but for the last bit of a logarithm. */
function floorPower(value: number): number {
  return Math.floor(Math.log10(value) + 1e-9);
}

function ceilPower(value: number): number {
  return Math.ceil(Math.log10(value) - 1e-9);
}

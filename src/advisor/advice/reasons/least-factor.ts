/** How far it is looked, by two steps. */
const STEPS = [10, 100] as const;
/** Halvings of a step of ten: to 7.5 %. */
const HALVINGS = 5;

/**
 * The least factor, to some percent, for which `holds` is true, above 1 (`'more'`) or as its inverse below; always one for which it was seen to
 * be. Null where it is not up to a hundredfold. It is taken for granted that what holds for a factor holds for those beyond it.
 */
export function leastFactor(holds: (factor: number) => boolean, way: 'more' | 'less'): number | null {
  const factorOf = (size: number): number => (way === 'more' ? size : 1 / size);
  let low = 1;
  for (const high of STEPS) {
    if (holds(factorOf(high))) return factorOf(between(low, high, HALVINGS, (size) => holds(factorOf(size))));
    low = high;
  }
  return null;
}

/** The least size for which it holds, by so many halvings on a logarithmic scale: it does not for `from`, and does for `to`. */
export function between(
  from: number,
  to: number,
  halvings: number,
  holds: (size: number) => boolean,
): number {
  let [low, high] = [from, to];
  for (let i = 0; i < halvings; i++) {
    const middle = Math.sqrt(low * high);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

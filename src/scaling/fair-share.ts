/** What one of several asks of something that is shared. */
export interface Demand {
  /** Above 0. */
  readonly weight: number;
  /** The most it can use; 0 or more. */
  readonly wants: number;
}

/**
 * Weighted max-min fairness: nobody gets more than it wants, what one leaves goes to the others, and who gets less than it wants gets,
 * for its weight, as much as anybody. By filling: those who want least for their weight are satisfied first (D. Bertsekas, R. Gallager:
 * "Data Networks", 2nd ed., section 6.5.2).
 * @param total 0 or more, in the unit of `wants`.
 * @returns what each gets, in the order of `demands`; together no more than `total`.
 */
export function fairShares(total: number, demands: readonly Demand[]): number[] {
  const shares = demands.map(() => 0);
  const order = [...demands.keys()].sort(
    (a, b) => demands[a]!.wants / demands[a]!.weight - demands[b]!.wants / demands[b]!.weight,
  );
  let left = total;
  let weights = demands.reduce((sum, { weight }) => sum + weight, 0);
  for (const index of order) {
    const { weight, wants } = demands[index]!;
    // The last one's part is all that is left: a quotient would lose some of it to rounding.
    const part = weights <= weight ? left : (left * weight) / weights;
    const share = Math.min(wants, part, left);
    shares[index] = share;
    left -= share;
    weights -= weight;
  }
  return shares;
}

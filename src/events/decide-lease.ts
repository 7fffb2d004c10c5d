/**
 * How much of a component's kept work this server leases now: a pure function of what is there.
 *
 * A worked example, batches of 10, a window of 3 invocations:
 *
 *   1 under way, nothing held, more waits   →  2 batches are free: 20 rows
 *   1 under way, 14 rows held (1.4 batches) →  2 batches are free, 6 rows are wanting to fill them
 *   3 under way                             →  none; looked at again when one of them ends, and every second, for the window
 *                                              grows with the age of what waits
 */
export interface LeaseView {
  /** Invocations that may be under way: see `WorkWindow`. */
  readonly window: number;
  /** Invocations for which work may be held beside those, so that the next begins when one ends. */
  readonly ahead: number;
  readonly underWay: number;
  /** Rows that are leased and not begun, and those that are being published for this server. */
  readonly held: number;
  /** How many invocations those make. */
  readonly heldBatches: number;
  readonly batchSize: number;
  /** More waits than is held, as far as is known. */
  readonly more: boolean;
  /** Rows that have been delivered, and whose outcome the store does not have yet. */
  readonly unsettled: number;
}

/** Rows of one lease: what is held in memory of one component, with their bytes. */
export const MOST_LEASED = 500;
export const MOST_LEASED_BYTES = 4 * 1024 ** 2;
/** While the store lags behind so much, nothing more is begun. */
export const MOST_UNSETTLED = 5_000;

/** Rows to lease; 0: none. */
export function rowsToLease(view: LeaseView): number {
  const { window, ahead, underWay, held, heldBatches, batchSize, more, unsettled } = view;
  if (!more || window === 0 || unsettled >= MOST_UNSETTLED) return 0;
  const free = window + ahead - underWay - heldBatches;
  if (free < 0) return 0;
  // The last batch that is held may not be full. What comes alone makes it look fuller than it is.
  const missing = Math.max(0, heldBatches * batchSize - held) % batchSize;
  return Math.max(0, Math.min(MOST_LEASED - held, free * batchSize + missing));
}

/** Whether what is published now may be leased with it: there is room for it, and nothing waits that it would overtake. */
export function mayLeaseAtOnce(view: LeaseView): boolean {
  const { window, ahead, underWay, held, batchSize, more, unsettled } = view;
  if (more || window === 0 || unsettled >= MOST_UNSETTLED) return false;
  return held < Math.min(MOST_LEASED, (window + ahead - underWay) * batchSize);
}

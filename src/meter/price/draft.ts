import type { Tier } from '../../model/price-book.ts';

/** A line of a bill before its price is worked out, which takes what all components of the account have. */
export interface Draft {
  readonly id: string;
  readonly title: string;
  readonly quantity: number;
  readonly unit: string;
  readonly tiers: readonly Tier[];
  /** What of `quantity` is free in a month, of the whole account. */
  readonly freePerMonth: number;
  /** Paths in the book of all that it rests on. */
  readonly restsOn: readonly string[];
  /**
   * Null: the component's own. Else `quantity` is there once for all components, each of which bears a part by this weight: a load balancer, a
   * monthly price.
   */
  readonly weight: number | null;
}

export interface Drafted {
  readonly drafts: readonly Draft[];
  readonly assumptions: readonly string[];
}

const MILLION = 1_000_000;

/** A line of a component's own, without anything free. */
export function ownLine(
  line: Pick<Draft, 'id' | 'title' | 'quantity' | 'unit' | 'tiers' | 'restsOn'>,
  freePerMonth = 0,
): Draft {
  return { ...line, freePerMonth, weight: null };
}

export function requestLine(
  id: string,
  title: string,
  requests: number,
  tiers: readonly Tier[],
  restsOn: readonly string[],
  freeRequests = 0,
): Draft {
  const line = { id, title, quantity: requests / MILLION, unit: 'million requests', tiers, restsOn };
  return ownLine(line, freeRequests / MILLION);
}

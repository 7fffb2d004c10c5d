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
  /** Where `quantity` is the hours of a stretch: that. Hours in which there were several bearers are there once, others for each. */
  readonly stretch?: Stretch;
}

/** In ms since the epoch. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** By this much of what is there once for all: as long as it was there. Never nothing. */
export function timeWeight({ fromMs, toMs }: Stretch): number {
  return Math.max(1, toMs - fromMs);
}

/** How long there was any of them, in ms. */
export function coveredMs(stretches: readonly Stretch[]): number {
  let [coveredTo, sum] = [-Infinity, 0];
  for (const { fromMs, toMs } of stretches.toSorted((a, b) => a.fromMs - b.fromMs)) {
    sum += Math.max(0, toMs - Math.max(fromMs, coveredTo));
    coveredTo = Math.max(coveredTo, toMs);
  }
  return sum;
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

import type { Fee, PriceBook } from '../../model/price-book.ts';
import type { Used } from '../../model/used.ts';
import { ownLine, requestLine, timeWeight, type Draft, type Drafted } from './draft.ts';
import { GB } from './memory.ts';
import { flat } from './tiers.ts';

const HOUR_MS = 3_600_000;
const MINUTE_S = 60;

/** What the book takes beside the compute in the mode of `used`, but for fees whose id is in `without`. */
export function feeLines(used: Used, book: PriceBook, without: ReadonlySet<string>): Drafted {
  const fees = book.fees.filter((fee) => (fee.of === 'both' || fee.of === used.mode) && !without.has(fee.id));
  return {
    drafts: fees.flatMap((fee) => linesOf(used, fee, book.fees.indexOf(fee))),
    assumptions: fees.some((fee) => fee.capacity !== null)
      ? ['load balancer: every request opens a connection of its own']
      : [],
  };
}

function linesOf(used: Used, fee: Fee, at: number): Draft[] {
  const { id, title } = fee;
  const restsOn = (key: string): string[] => [`fees[${at}].${key}`];
  const lines = [
    requestLine(
      `${id}-requests`,
      `${title}, requests`,
      passing(used),
      fee.perMillionRequests,
      restsOn('perMillionRequests'),
    ),
    ownLine({
      id: `${id}-out`,
      title: `${title}, out`,
      quantity: used.bytesOut / GB,
      unit: 'GB',
      tiers: fee.perGbOut,
      restsOn: restsOn('perGbOut'),
    }),
  ];
  const hours: Draft = {
    id,
    title,
    quantity: (used.toMs - used.fromMs) / HOUR_MS,
    unit: 'h',
    tiers: flat(fee.perHour),
    freePerMonth: 0,
    restsOn: restsOn('perHour'),
    weight: timeWeight(used),
    stretch: { fromMs: used.fromMs, toMs: used.toMs },
  };
  if (fee.capacity === null) return [hours, ...lines];
  const capacity = ownLine({
    id: `${id}-capacity`,
    title: `${title}, capacity`,
    quantity: unitHours(used, fee.capacity),
    unit: 'unit-h',
    tiers: flat(fee.capacity.perUnitHour),
    restsOn: restsOn('capacity'),
  });
  return [hours, capacity, ...lines];
}

/** Requests from outside; those that were refused have passed it too. */
function passing(used: Used): number {
  return Math.max(0, used.executed - used.internal) + used.refused;
}

/** For each minute the larger of connections and bytes, as bytes are spread like requests. */
function unitHours(used: Used, capacity: NonNullable<Fee['capacity']>): number {
  const requests = passing(used);
  const gb = (used.bytesIn + used.bytesOut) / GB;
  const byBytes = gb / capacity.gbPerHour;
  const byConnections = requests / capacity.connectionsPerS / (MINUTE_S * MINUTE_S);
  // Both are proportional to the requests of a minute, so whichever is larger in one is larger in all.
  return Math.max(byBytes, byConnections);
}

const HOUR_MS = 3_600_000;
/** Hours of a month as providers count it: 8,760 / 12. */
const MONTH_HOURS = 730;

/**
 * How many months lie between the two moments, in ms since the epoch: whole calendar months (UTC) count as what they are, and everything
 * else by hours, of which a month has 730. Whatever is a month's (fixed prices, free tiers, the borders of tiers) is multiplied by it.
 */
export function monthsBetween(fromMs: number, toMs: number): number {
  const from = new Date(fromMs);
  const to = new Date(toMs);
  const months = (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + (to.getUTCMonth() - from.getUTCMonth());
  return months > 0 && beginsMonth(from) && beginsMonth(to)
    ? months
    : (toMs - fromMs) / HOUR_MS / MONTH_HOURS;
}

function beginsMonth(at: Date): boolean {
  return at.getTime() === Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1);
}

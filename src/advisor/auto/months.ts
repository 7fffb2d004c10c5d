const HOUR_MS = 3_600_000;
/** As the price books count it. */
const MONTH_HOURS = 730;

/** The window as part of a month: what a price a month is multiplied by. */
export function monthsOf({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): number {
  return Math.max(0, toMs - fromMs) / (MONTH_HOURS * HOUR_MS);
}

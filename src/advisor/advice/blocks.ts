import type { Span } from '../traffic/traced.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Below that a window has too few days to resample them. */
const LEAST_DAYS_MS = 7 * DAY_MS;
const LEAST_BLOCKS = 3;
const PARTS = 6;

/** What a window is resampled in: pieces of one length, as nearly as whole minutes allow, without a rest. */
export interface Blocks {
  readonly spans: readonly Span[];
  readonly blockMs: number;
}

/** Days; hours of a window under 7 days; sixths of one under 3 hours. Borders between blocks are whole minutes of the clock. */
export function blocksOf(window: Span): Blocks {
  const windowMs = window.toMs - window.fromMs;
  const wantedMs = windowMs >= LEAST_DAYS_MS ? DAY_MS : HOUR_MS;
  const whole = Math.round(windowMs / wantedMs);
  return whole >= LEAST_BLOCKS ? partsOf(window, whole) : sixthsOf(window);
}

/** Few enough that a replay of each is quick, however long the window is. */
export function sixthsOf(window: Span): Blocks {
  return partsOf(window, PARTS);
}

function partsOf({ fromMs, toMs }: Span, count: number): Blocks {
  const windowMs = toMs - fromMs;
  const borders = Array.from({ length: count + 1 }, (_, i) => {
    if (i === 0) return fromMs;
    return i === count ? toMs : Math.round((fromMs + (windowMs * i) / count) / MINUTE_MS) * MINUTE_MS;
  });
  // A window of a few minutes has fewer whole minutes than blocks.
  const kept = borders.filter(
    (at, i) => i === 0 || i === count || (at > fromMs && at < toMs && at > borders[i - 1]!),
  );
  const spans = kept.slice(1).map((to, i): Span => ({ fromMs: kept[i]!, toMs: to }));
  return { spans, blockMs: windowMs / spans.length };
}

/** Of which time `auto` may say something: windows of whole minutes, in which somebody was there to count what came. */
import type { AutoSettings } from '../model/advice-facts.ts';

const MINUTE_MS = 60_000;
/** So long nobody looked: the process was stopped, or the wall's clock was set. What lies between is no usage of an app, though none is kept. */
const STOOD_STILL_MS = 10 * MINUTE_MS;

export interface WindowAbout {
  /** End of the last window, in ms since the epoch, by whichever server; null: there was none. */
  readonly seenToMs: number | null;
  /** From when on usage is known whole. */
  readonly wholeFromMs: number;
  /** The last whole minute. */
  readonly toMs: number;
}

/** What is new since the last window; null: too little yet. After a time in which nobody decided, what is older than two windows is let be. */
export function windowSpan(
  { seenToMs, wholeFromMs, toMs }: WindowAbout,
  { windowMs }: Pick<AutoSettings, 'windowMs'>,
): { readonly fromMs: number; readonly toMs: number } | null {
  // One further ahead was written before the clock was set back. Another server's clock may be a little ahead.
  const sound = seenToMs !== null && seenToMs <= toMs + windowMs ? seenToMs : -Infinity;
  const fromMs = Math.max(sound, wholeFromMs, toMs - 2 * windowMs);
  return toMs >= fromMs + windowMs ? { fromMs, toMs } : null;
}

/** @param lookedMs when it was looked last; null: not yet. */
export function hasStoodStill(lookedMs: number | null, nowMs: number): boolean {
  return lookedMs !== null && Math.abs(nowMs - lookedMs) > STOOD_STILL_MS;
}

export function lastMinute(nowMs: number): number {
  return Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
}

export function nextMinute(nowMs: number): number {
  return Math.ceil(nowMs / MINUTE_MS) * MINUTE_MS;
}

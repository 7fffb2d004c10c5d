/**
 * Whether one mode throughout would have beaten going with each window. Where bursts are shorter than a dwell, whoever reacts to them comes too late each
 * time, though every window is judged rightly: that is seen only by what reacting has cost over days.
 *
 * Both rivals, always a function and always a service, are reckoned beside what the rule of windows would have done had it alone decided. One that is
 * ahead of it by more than `entry` is followed, until half of that is lost again:
 *
 *   follows: null ── a rival's lead is above the entry, after two days ──▶ that mode ── its lead is below half the entry ──▶ null
 *
 * A lead counts only what is above the least saving of what reacting cost, so that whoever is followed has saved at least that share over the whole of
 * its lead. Following costs at most one and a half entries and a window above what the rule would have, switches apart, and a new lead has to be earned
 * before it can cost that again.
 */
import type { AutoSettings } from '../../model/advice-facts.ts';
import type { Mode } from '../../model/app.ts';
import type { AutoWindow } from './auto-window.ts';
import { isDue, NO_CASE, otherThan, withWindow, type CostCase } from './cost-case.ts';
import { monthsOf } from './months.ts';

export interface Rivals {
  /** The rule of windows, if it alone decided. */
  readonly reacting: Reacting;
  /** What each mode throughout would have saved over that, beyond the least saving, in the books' currency; from 0 to a bound. */
  readonly leads: Readonly<Record<Mode, number>>;
  /** How long it has been looked, in ms. */
  readonly seenMs: number;
  /** What reacting costs a month, on average over a week. */
  readonly perMonth: number;
  readonly follows: Mode | null;
}

interface Reacting extends CostCase {
  readonly mode: Mode;
  /** In ms since the epoch; null: it has not switched. */
  readonly dwellsUntilMs: number | null;
}

const DAY_MS = 86_400_000;
/** Less is no sample of days. */
const LEAST_MS = 2 * DAY_MS;
const WEEK_MS = 7 * DAY_MS;
/** An entry: the least saving on so much time, and a switch. */
const ENTRY_MS = 2 * DAY_MS;
/** Of an entry: above it no lead grows, so that none is lived on for long; below it one is lost. */
const MOST = 1.5;
const LOST = 0.5;

export function newRivals(mode: Mode): Rivals {
  return {
    reacting: { ...NO_CASE, mode, dwellsUntilMs: null },
    leads: { function: 0, service: 0 },
    seenMs: 0,
    perMonth: 0,
    follows: null,
  };
}

/** With one more window. A window in which nobody sells either mode says nothing. */
export function rivalsAfter(rivals: Rivals, window: AutoWindow, settings: AutoSettings): Rivals {
  const { function: asFunction, service: asService } = window.modes;
  if (asFunction.perMonth === null || asService.perMonth === null) return rivals;
  const { reacting, leads } = rivals;
  const months = monthsOf(window);
  const spanMs = Math.max(0, window.toMs - window.fromMs);
  const seenMs = rivals.seenMs + spanMs;
  const costs = { function: asFunction.perMonth.mid * months, service: asService.perMonth.mid * months };
  const next = react(reacting, window, settings);
  const reacted = costs[reacting.mode] + (next.mode === reacting.mode ? 0 : settings.switchCost);
  const share = seenMs === 0 ? 0 : spanMs / Math.min(seenMs, WEEK_MS);
  const perMonth = rivals.perMonth + (costs[reacting.mode] / (months || 1) - rivals.perMonth) * share;
  const entry =
    settings.switchCost + settings.leastSaving * perMonth * monthsOf({ fromMs: 0, toMs: ENTRY_MS });
  const leadOf = (mode: Mode): number => {
    const lead = leads[mode] + (1 - settings.leastSaving) * reacted - costs[mode];
    return Math.min(MOST * entry, Math.max(0, lead));
  };
  const now = { function: leadOf('function'), service: leadOf('service') };
  const follows = rivals.follows !== null && now[rivals.follows] < LOST * entry ? null : rivals.follows;
  const ahead: Mode = now.service > now.function ? 'service' : 'function';
  // Whoever sets no dwell wants it to react, which then is never late for long.
  const mayFollow = seenMs >= LEAST_MS && settings.dwellMs > 0 && now[ahead] > entry;
  return { reacting: next, leads: now, seenMs, perMonth, follows: follows ?? (mayFollow ? ahead : null) };
}

export function isRivals(rivals: Rivals | undefined | null): boolean {
  if (typeof rivals !== 'object' || rivals === null) return false;
  const { reacting, leads, seenMs, perMonth, follows } = rivals;
  return (
    isMode(reacting?.mode) &&
    (reacting.dwellsUntilMs === null || Number.isFinite(reacting.dwellsUntilMs)) &&
    [reacting.excess, reacting.evidence?.executed, reacting.evidence?.windows].every(isAmount) &&
    [leads?.function, leads?.service, seenMs, perMonth].every(isAmount) &&
    (follows === null || isMode(follows))
  );
}

function react(before: Reacting, window: AutoWindow, settings: AutoSettings): Reacting {
  const { mode, dwellsUntilMs } = before;
  const to = otherThan(mode);
  const costs = withWindow(before, mode, window);
  const leftMs = dwellsUntilMs === null ? 0 : dwellsUntilMs - window.toMs;
  // A dwell that lasts longer than any was begun by a clock that has been set back since.
  const dwells = leftMs > 0 && leftMs <= settings.dwellMs;
  if (dwells || window.modes[to].obstacle !== null || !isDue(costs, mode, window, settings))
    return { mode, dwellsUntilMs, ...costs };
  return { ...NO_CASE, mode: to, dwellsUntilMs: window.toMs + settings.dwellMs };
}

function isMode(value: unknown): boolean {
  return value === 'function' || value === 'service';
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}

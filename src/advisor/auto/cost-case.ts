/** What speaks for leaving a mode because of what it costs. */
import type { AutoSettings } from '../../model/advice-facts.ts';
import type { Mode } from '../../model/app.ts';
import type { AutoWindow } from './auto-window.ts';
import { monthsOf } from './months.ts';

export interface CostCase {
  /** What the mode has cost above the other since the two were last even, in the books' currency; never below 0. */
  readonly excess: number;
  /** Since they were even: invocations, and windows. What the excess rests on. */
  readonly evidence: { readonly executed: number; readonly windows: number };
}

export const NO_CASE: CostCase = { excess: 0, evidence: { executed: 0, windows: 0 } };

/** A switch for cost goes only where that much of the samples meets the objective. */
const MEETS = 0.9;
/** With fewer invocations it takes so many windows. */
const LEAST_EXECUTED = 50;
const ENOUGH_WINDOWS = 24;

/** @param mode which it is the case against: what runs, or would. */
export function withWindow({ excess, evidence }: CostCase, mode: Mode, window: AutoWindow): CostCase {
  const present = window.modes[mode].perMonth;
  const other = window.modes[otherThan(mode)].perMonth;
  const now =
    present === null || other === null
      ? excess
      : Math.max(0, excess + (present.mid - other.mid) * monthsOf(window));
  if (now === 0) return NO_CASE;
  return {
    excess: now,
    evidence: { executed: evidence.executed + window.executed, windows: evidence.windows + 1 },
  };
}

/** Whether it is time, by the excess and by the window alone. */
export function isDue(
  { excess, evidence }: CostCase,
  mode: Mode,
  window: AutoWindow,
  settings: AutoSettings,
): boolean {
  const present = window.modes[mode].perMonth;
  const low = leastSaved(mode, window);
  return (
    // Too few invocations may have come by chance; that hardly any come for a day is none.
    (evidence.executed >= LEAST_EXECUTED || evidence.windows >= ENOUGH_WINDOWS) &&
    low !== null &&
    present !== null &&
    excess > settings.switchCost &&
    low > 0 &&
    low >= settings.leastSaving * present.mid &&
    meetsObjective(otherThan(mode), window)
  );
}

export function meetsObjective(mode: Mode, { modes }: AutoWindow): boolean {
  return modes[mode].meetsObjective >= MEETS;
}

export function otherThan(mode: Mode): Mode {
  return mode === 'function' ? 'service' : 'function';
}

/** By leaving `mode`, a month: the lower end of the band; null where either mode cannot be had. */
function leastSaved(mode: Mode, { saving, mode: runs }: AutoWindow): number | null {
  if (saving === null) return null;
  return mode === runs ? saving.low : -saving.high;
}

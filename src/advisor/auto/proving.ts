import type { Mode } from '../../model/app.ts';
import type { Expected, Worsened } from './auto-memory.ts';
import type { AutoWindow } from './auto-window.ts';

/** More than a quarter worse than predicted is a prediction that did not hold. */
const WORSE = 1.25;
/** Less than this nobody feels, and the machine's noise is of its size. */
const FELT_MS = 5;

export interface Worse {
  readonly of: Worsened;
  readonly measured: number;
  readonly expected: number;
  /** Of the mode that was left. */
  readonly before: number;
  readonly back: Mode;
}

/**
 * Whether a switch turned out worse than it was made for, by what was counted in a window after it; null: not so, or too little to say.
 *
 * What came meanwhile is taken into account: three times the traffic may cost three times as much. And it is worse only if the mode that was
 * left was better: going back must help. That is judged by what was counted there, as a replay of what is counted now would
 * take over what is wrong here.
 */
export function isWorse(expected: Expected, window: AutoWindow): Worse | null {
  const { measured, objectiveP99Ms, modes } = window;
  const { from: back, before } = expected;
  const growth = growthOf(expected, window);
  if (
    // A switch for latency may cost what it costs.
    expected.why === 'cost' &&
    measured.perMonth !== null &&
    expected.perMonth !== null &&
    before.perMonth !== null
  ) {
    const expectedNow = expected.perMonth * growth;
    // Of a mode that is dearer by now, by the traffic that there is, nobody is better off.
    const beforeNow = Math.min(before.perMonth * growth, modes[back].perMonth?.mid ?? Infinity);
    if (measured.perMonth > WORSE * expectedNow && measured.perMonth > beforeNow)
      return { of: 'cost', measured: measured.perMonth, expected: expectedNow, before: beforeNow, back };
  }
  const { p99Ms } = measured;
  if (p99Ms === null || expected.p99Ms === null || before.p99Ms === null) return null;
  const asAsked = objectiveP99Ms !== null && p99Ms <= objectiveP99Ms;
  const isFelt = p99Ms > WORSE * expected.p99Ms && p99Ms > expected.p99Ms + FELT_MS;
  if (asAsked || !isFelt || p99Ms <= before.p99Ms) return null;
  return { of: 'latency', measured: p99Ms, expected: expected.p99Ms, before: before.p99Ms, back };
}

/** How many times the traffic that the switch was made for; never below 1, for less must not cost more. */
function growthOf({ rate }: Expected, { executed, fromMs, toMs }: AutoWindow): number {
  if (rate <= 0 || toMs <= fromMs) return 1;
  return Math.max(1, executed / (toMs - fromMs) / rate);
}

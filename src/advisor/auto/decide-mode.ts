import type { AutoSettings } from '../../model/advice-facts.ts';
import type { Mode } from '../../model/app.ts';
import type { ModeStepKind } from '../../model/mode-history.ts';
import { inTime, newMemory, type AutoMemory, type Told, type Worsened } from './auto-memory.ts';
import type { AutoWindow } from './auto-window.ts';
import { longerDwell } from './dwell.ts';
import { monthsOf } from './months.ts';
import { isWorse, type Worse } from './proving.ts';
import { sayBlocked, sayKept, sayObjective, saySaving, sayUndo, saying } from './reason-text.ts';

/** What is to be done at the end of a window. */
export type AutoDecision =
  | { readonly kind: 'stay' }
  /** To be carried out, and then told to {@link switched}; or, where it could not be, to {@link notSwitched}. */
  | ({ readonly kind: 'switch' } & Why & Saying)
  /** To be told, once. */
  | ({ readonly kind: Exclude<ModeStepKind, 'switched' | 'undone' | 'failed'> } & Saying);

type Why =
  | { readonly why: 'cost' | 'objective' }
  /** Worse of that. */
  | { readonly why: 'undo'; readonly of: Worsened };

interface Saying {
  readonly from: Mode;
  readonly to: Mode;
  /** For a person, one or two sentences. */
  readonly reason: string;
  readonly figures: Readonly<Record<string, number>>;
}

export interface Decided {
  readonly memory: AutoMemory;
  readonly decision: AutoDecision;
}

/** Windows in a row over the objective, after which it is time. */
const OVER = 2;
/** A switch for cost goes only where that much of the samples meets the objective. */
const MEETS = 0.9;

/** With fewer invocations it takes so many windows. */
const LEAST_EXECUTED = 50;
const ENOUGH_WINDOWS = 24;

const STAY: AutoDecision = { kind: 'stay' };

/**
 * What `auto` does with one unit at the end of a window. What the present mode costs above the other is summed up, and never falls below 0;
 * a switch comes when that is more than a switch costs, so that hindsight could not have saved much more than that by going earlier. That is how
 * one who does not know the future pays a bounded multiple of one who does: Borodin, Linial and Saks, "An optimal on-line algorithm for
 * metrical task systems", Journal of the ACM 39 (1992). The bands, the dwell and the least saving keep noise from moving it.
 *
 * Before all that: latency. Two windows over the objective make it a service, however long ago it was switched, unless as a service it was slower. And a switch that turns out
 * 25 % worse than what it was made for is undone.
 *
 * @param memory null: it has none yet.
 */
export function decideMode(
  memory: AutoMemory | null,
  window: AutoWindow,
  settings: AutoSettings,
  nowMs: number,
): Decided {
  const known =
    memory?.mode === window.mode ? inTime(memory, settings, nowMs) : newMemory(window.mode, settings);
  const looked = look(known, window);
  const worse = looked.phase.kind === 'proving' ? isWorse(looked.phase, window) : null;
  const seen = worse === null ? settle(looked, window, nowMs, settings) : looked;
  const [from, to] = [window.mode, otherThan(window.mode)];
  const { obstacle } = window.modes[to];
  const mayTry = seen.failed === null || nowMs >= seen.failed.notBeforeMs;
  const dwells = seen.dwellsUntilMs !== null && nowMs < seen.dwellsUntilMs;

  const wish = wishOf(seen, window, settings, worse);
  if (wish === null) return quiet(seen, window);
  const { reason: wished, ...why } = wish;
  const told: Saying = { from, to, reason: wished, figures: saying(seen, window, settings) };
  if (obstacle !== null) {
    const reason = sayBlocked(wished, to, obstacle);
    return once(seen, 'blocked', { ...told, reason, kind: 'blocked' });
  }
  if (!settings.acts) return once(seen, 'would-switch', { ...told, kind: 'would-switch' });
  if (!mayTry || (dwells && mustDwell(seen, why))) {
    // A wish for cost that must wait is near: whether it is granted is told in any case.
    return { memory: why.why === 'cost' ? withTold(seen, 'near') : seen, decision: STAY };
  }
  return { memory: seen, decision: { kind: 'switch', ...why, ...told } };
}

/** The memory after the decision was carried out. */
export function switched(
  memory: AutoMemory,
  window: AutoWindow,
  decision: AutoDecision & { kind: 'switch' },
  settings: AutoSettings,
  nowMs: number,
): AutoMemory {
  const { why, from, to } = decision;
  const dwellMs = why === 'cost' ? memory.dwellMs : longerDwell(memory.dwellMs, settings);
  const [left, taken] = [window.modes[from], window.modes[to]];
  return {
    ...newMemory(to, settings),
    seenToMs: memory.seenToMs,
    dwellMs,
    dwellsUntilMs: nowMs + dwellMs,
    phase:
      decision.why === 'undo'
        ? { kind: 'undone', of: decision.of }
        : {
            kind: 'proving',
            ...{ from, why: decision.why },
            perMonth: taken.perMonth?.mid ?? null,
            p99Ms: taken.p99Ms?.mid ?? null,
            before: {
              perMonth: window.measured.perMonth ?? left.perMonth?.mid ?? null,
              p99Ms: window.measured.p99Ms ?? left.p99Ms?.mid ?? null,
            },
            rate: window.executed / Math.max(1, window.toMs - window.fromMs),
          },
  };
}

/** The memory after it could not be: tried again after a window, then two, four, …, a dwell at most. */
export function notSwitched(memory: AutoMemory, settings: AutoSettings, nowMs: number): AutoMemory {
  const attempts = (memory.failed?.attempts ?? 0) + 1;
  const waitMs = Math.min(
    settings.windowMs * 2 ** Math.min(attempts - 1, 30),
    Math.max(settings.dwellMs, settings.windowMs),
  );
  return { ...memory, failed: { attempts, notBeforeMs: nowMs + waitMs } };
}

/** What the window says, added to what is known. */
function look(memory: AutoMemory, window: AutoWindow): AutoMemory {
  const { mode, objectiveP99Ms, measured, modes } = window;
  const present = modes[mode].perMonth;
  const other = modes[otherThan(mode)].perMonth;
  const excess =
    present === null || other === null
      ? memory.excess
      : Math.max(0, memory.excess + (present.mid - other.mid) * monthsOf(window));
  // A window with too little in it says nothing of the latency, neither way.
  const over =
    objectiveP99Ms === null
      ? 0
      : measured.p99Ms === null
        ? memory.over
        : measured.p99Ms > objectiveP99Ms
          ? memory.over + 1
          : 0;
  const evidence =
    excess === 0
      ? { executed: 0, windows: 0 }
      : { executed: memory.evidence.executed + window.executed, windows: memory.evidence.windows + 1 };
  return { ...memory, seenToMs: window.toMs, excess, evidence, over };
}

/**
 * A switch that nothing has spoken against while it dwelt, and of which something was counted, was right; one for cost makes up for those that
 * were not.
 */
function settle(
  memory: AutoMemory,
  { measured }: AutoWindow,
  nowMs: number,
  settings: AutoSettings,
): AutoMemory {
  const { phase, dwellsUntilMs } = memory;
  const dwells = dwellsUntilMs !== null && nowMs < dwellsUntilMs;
  if (phase.kind === 'undone' && !dwells) return { ...memory, phase: { kind: 'settled' } };
  if (phase.kind !== 'proving' || dwells || (measured.perMonth === null && measured.p99Ms === null))
    return memory;
  const dwellMs = phase.why === 'cost' ? settings.dwellMs : memory.dwellMs;
  return { ...memory, dwellMs, phase: { kind: 'settled' } };
}

/** What speaks for the other mode, whether it may be had now or not. */
function wishOf(
  memory: AutoMemory,
  window: AutoWindow,
  settings: AutoSettings,
  worse: Worse | null,
): (Why & { readonly reason: string }) | null {
  const to = otherThan(window.mode);
  const outlook = window.modes[to];
  if (worse !== null) return { why: 'undo', of: worse.of, reason: sayUndo(memory, settings, window, worse) };
  const { p99Ms } = window.measured;
  if (to === 'service' && memory.over >= OVER && p99Ms !== null && (outlook.p99Ms?.mid ?? 0) < p99Ms)
    return { why: 'objective', reason: sayObjective(memory, window) };
  const { saving, modes } = window;
  const present = modes[window.mode].perMonth;
  if (!isEnough(memory) || saving === null || present === null) return null;
  const isDue =
    memory.excess > settings.switchCost &&
    saving.low > 0 &&
    saving.low >= settings.leastSaving * present.mid &&
    outlook.meetsObjective >= MEETS;
  return isDue ? { why: 'cost', reason: saySaving(memory, window) } : null;
}

/**
 * A switch for cost dwells. One for the objective does not, unless a service has just turned out to be slower: it would be undone again, window
 * after window.
 */
function mustDwell({ phase }: AutoMemory, { why }: Why): boolean {
  if (why === 'objective') return phase.kind === 'undone' && phase.of === 'latency';
  return why === 'cost';
}

/** Too few invocations may have come by chance; that hardly any come for a day is none. */
function isEnough({ evidence }: AutoMemory): boolean {
  return evidence.executed >= LEAST_EXECUTED || evidence.windows >= ENOUGH_WINDOWS;
}

/** Nothing to be done. What was near a switch, and has none of its excess left, is told to be kept. */
function quiet(memory: AutoMemory, window: AutoWindow): Decided {
  if (memory.excess > 0 || memory.told.length === 0) return { memory, decision: STAY };
  const forgotten = { ...memory, told: [] };
  if (!memory.told.includes('near')) return { memory: forgotten, decision: STAY };
  const { mode } = window;
  const figures = { executed: window.executed };
  return {
    memory: forgotten,
    decision: { kind: 'kept', from: mode, to: mode, reason: sayKept(window), figures },
  };
}

function once(memory: AutoMemory, as: Told, decision: AutoDecision): Decided {
  return memory.told.includes(as) ? { memory, decision: STAY } : { memory: withTold(memory, as), decision };
}

function withTold(memory: AutoMemory, as: Told): AutoMemory {
  return memory.told.includes(as) ? memory : { ...memory, told: [...memory.told, as] };
}

function otherThan(mode: Mode): Mode {
  return mode === 'function' ? 'service' : 'function';
}

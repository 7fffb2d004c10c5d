/**
 * What `auto` knows of one unit from one window to the next. It is `settled`, or a switch of it has to prove itself:
 *
 *   settled ── a switch is carried out ──▶ proving ── the dwell is over, and nothing spoke against it ──▶ settled
 *      ▲                                     └── worse than predicted: switched back, the dwell doubled ──▶ undone
 *      └── the dwell is over ──────────────────────────────────────────────────────────────────────────────┘
 *
 * Beside that, a switch that cannot be made is tried again, ever later.
 */
import type { AutoSettings } from '../../model/advice-facts.ts';
import type { Mode } from '../../model/app.ts';

export interface AutoMemory {
  /** What it ran as at the end of the last window. */
  readonly mode: Mode;
  /** End of the last window, in ms since the epoch; null before the first. */
  readonly seenToMs: number | null;
  /** What the present mode has cost above the other since the two were last even, in the books' currency; never below 0. */
  readonly excess: number;
  /** Since they were even: invocations, and windows. What the excess rests on. */
  readonly evidence: { readonly executed: number; readonly windows: number };
  /** Windows in a row over the latency objective. */
  readonly over: number;
  /** Nothing is switched for cost before; null: nothing has been switched. In ms since the epoch. */
  readonly dwellsUntilMs: number | null;
  /** How long the next dwell is. */
  readonly dwellMs: number;
  readonly phase: AutoPhase;
  /** Switches that could not be made since the last that could; null: none. */
  readonly failed: { readonly attempts: number; readonly notBeforeMs: number } | null;
  /** What has been told of the present excess already, and is not told again. */
  readonly told: readonly Told[];
}

type AutoPhase =
  | { readonly kind: 'settled' }
  | ({ readonly kind: 'proving' } & Expected)
  /** Of what the other mode was worse: while it dwells, it is not tried again for that. */
  | { readonly kind: 'undone'; readonly of: Worsened };

export type Worsened = 'cost' | 'latency';

/** What a switch was made for, and by what it is judged. */
export interface Expected {
  readonly from: Mode;
  readonly why: 'cost' | 'objective';
  /** Of the mode switched to, by replay; null where there was no telling. */
  readonly perMonth: number | null;
  readonly p99Ms: number | null;
  /** Of the mode that was left, as counted where it was, else by replay. */
  readonly before: { readonly perMonth: number | null; readonly p99Ms: number | null };
  /** Invocations a ms at that time. */
  readonly rate: number;
}

export type Told = 'near' | 'would-switch' | 'blocked';

/** Written with it: another one's memory is not understood, and is begun anew. */
const VERSION = 1;

export function newMemory(mode: Mode, settings: AutoSettings): AutoMemory {
  return {
    mode,
    seenToMs: null,
    excess: 0,
    evidence: { executed: 0, windows: 0 },
    over: 0,
    dwellsUntilMs: null,
    dwellMs: settings.dwellMs,
    phase: { kind: 'settled' },
    failed: null,
    told: [],
  };
}

export function memoryText(memory: AutoMemory): string {
  return JSON.stringify({ version: VERSION, ...memory });
}

/** Null where `text` is another version's, or nothing that this has written. */
export function memoryOf(text: string): AutoMemory | null {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof read !== 'object' || read === null) return null;
  const { version, ...memory } = read as { version?: unknown } & AutoMemory;
  const { mode, seenToMs, excess, evidence, over, dwellsUntilMs, dwellMs, phase, failed, told } = memory;
  const sound =
    version === VERSION &&
    (mode === 'function' || mode === 'service') &&
    isMoment(seenToMs) &&
    isAmount(excess) &&
    isAmount(evidence?.executed) &&
    isAmount(evidence?.windows) &&
    Number.isSafeInteger(over) &&
    isMoment(dwellsUntilMs) &&
    isAmount(dwellMs) &&
    Array.isArray(told) &&
    (failed === null || (isAmount(failed?.attempts) && isAmount(failed?.notBeforeMs))) &&
    isPhase(phase);
  return sound
    ? { mode, seenToMs, excess, evidence, over, dwellsUntilMs, dwellMs, phase, failed, told }
    : null;
}

function isPhase(phase: AutoPhase | undefined | null): boolean {
  if (typeof phase !== 'object' || phase === null) return false;
  if (phase.kind === 'settled') return true;
  if (phase.kind === 'undone') return phase.of === 'cost' || phase.of === 'latency';
  return (
    phase.kind === 'proving' &&
    (phase.from === 'function' || phase.from === 'service') &&
    typeof phase.before === 'object' &&
    phase.before !== null
  );
}

/**
 * What lies further ahead than anything is ever put off was written by a clock that has been set back since; it is put off from now on, for as
 * long as it can be at most.
 */
export function inTime(memory: AutoMemory, settings: AutoSettings, nowMs: number): AutoMemory {
  const { dwellsUntilMs, failed } = memory;
  const dwellEndMs = nowMs + memory.dwellMs;
  const retryMs = nowMs + Math.max(memory.dwellMs, settings.dwellMs, settings.windowMs);
  return {
    ...memory,
    dwellsUntilMs: dwellsUntilMs === null ? null : Math.min(dwellsUntilMs, dwellEndMs),
    failed: failed === null ? null : { ...failed, notBeforeMs: Math.min(failed.notBeforeMs, retryMs) },
  };
}

function isMoment(value: unknown): boolean {
  return value === null || Number.isFinite(value);
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}

import type { AutoSettings } from '../../model/advice-facts.ts';
import type { Band } from '../../model/advice.ts';
import type { Mode } from '../../model/app.ts';
import type { AutoMemory } from '../auto/auto-memory.ts';
import type { AutoOutlook, AutoWindow } from '../auto/auto-window.ts';
import { decideMode, notSwitched, switched, type AutoDecision } from '../auto/decide-mode.ts';
import { EPOCH_MS } from './traffic.ts';

export const HOUR_MS = 3_600_000;

export const AUTO: AutoSettings = {
  acts: true,
  dwellMs: 6 * HOUR_MS,
  windowMs: HOUR_MS,
  leastSaving: 0.1,
  switchCost: 0.01,
};

/** What one window of a made-up unit is like. Costs are a month's. */
export interface WindowLike {
  readonly function: number | null;
  readonly service: number | null;
  /** Half the width of the bands, as a share of the cost. */
  readonly unsure?: number;
  readonly executed?: number;
  /** Of the present mode, whichever it is; absent: as by replay. */
  readonly measuredPerMonth?: number;
  readonly p99Ms?: Readonly<Record<Mode, number>>;
  readonly measuredP99Ms?: number;
  readonly objectiveP99Ms?: number;
  readonly meets?: Readonly<Record<Mode, number>>;
  readonly obstacles?: Partial<Record<Mode, string>>;
}

export function windowOf(like: WindowLike, mode: Mode, fromMs: number, lastsMs = HOUR_MS): AutoWindow {
  const unsure = like.unsure ?? 0;
  const outlook = (of: Mode): AutoOutlook => ({
    perMonth: like[of] === null ? null : bandOf(like[of], unsure),
    p99Ms: bandOf(like.p99Ms?.[of] ?? 50, unsure),
    meetsObjective: like.meets?.[of] ?? 1,
    obstacle: like.obstacles?.[of] ?? null,
  });
  const other = mode === 'function' ? 'service' : 'function';
  const [present, instead] = [like[mode], like[other]];
  const saved = present === null || instead === null ? null : present - instead;
  return {
    fromMs,
    toMs: fromMs + lastsMs,
    mode,
    executed: like.executed ?? 1_000,
    measured: {
      perMonth: like.measuredPerMonth ?? present,
      p99Ms: like.measuredP99Ms ?? like.p99Ms?.[mode] ?? 50,
    },
    modes: { function: outlook('function'), service: outlook('service') },
    saving:
      saved === null ? null : { low: saved - unsure * present!, mid: saved, high: saved + unsure * present! },
    objectiveP99Ms: like.objectiveP99Ms ?? null,
    currency: 'USD',
  };
}

function bandOf(mid: number, unsure: number): Band {
  return { low: mid * (1 - unsure), mid, high: mid * (1 + unsure) };
}

/** One unit under `auto`, window after window, as a server would have it. */
export class AutoUnit {
  mode: Mode;
  memory: AutoMemory | null = null;
  nowMs = EPOCH_MS;
  readonly settings: AutoSettings;
  readonly switches: { readonly atMs: number; readonly to: Mode; readonly why: string }[] = [];
  /** Whether a switch can be made. */
  works = true;

  constructor(mode: Mode, settings: Partial<AutoSettings> = {}) {
    this.mode = mode;
    this.settings = { ...AUTO, ...settings };
  }

  /** Lives through one window, and gives what was decided at its end. */
  live(like: WindowLike): AutoDecision {
    const { settings } = this;
    const window = windowOf(like, this.mode, this.nowMs, settings.windowMs);
    this.nowMs += settings.windowMs;
    const { memory, decision } = decideMode(this.memory, window, settings, this.nowMs);
    this.memory = memory;
    if (decision.kind !== 'switch') return decision;
    if (!this.works) {
      this.memory = notSwitched(memory, settings, this.nowMs);
      return decision;
    }
    this.memory = switched(memory, window, decision, settings, this.nowMs);
    this.mode = decision.to;
    this.switches.push({ atMs: this.nowMs, to: decision.to, why: decision.why });
    return decision;
  }

  /** The kinds of what was decided in so many windows alike. */
  through(windows: number, like: WindowLike): string[] {
    return Array.from({ length: windows }, () => this.live(like).kind);
  }
}

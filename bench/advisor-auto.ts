/** `auto` on months of traffic, against the best schedule of modes that anybody could have had who knew all of it. */
import { decideMode, switched } from '../src/advisor/auto/decide-mode.ts';
import type { AutoMemory } from '../src/advisor/auto/auto-memory.ts';
import type { AutoOutlook, AutoWindow } from '../src/advisor/auto/auto-window.ts';
import { DEFAULT_ADVISOR } from '../src/config/defaults.ts';
import type { AutoSettings } from '../src/model/advice-facts.ts';
import type { Band } from '../src/model/advice.ts';
import type { Mode } from '../src/model/app.ts';
import { azureSeries, BLOCKS, costsOf, madeSeries, type Costs } from './advisor-auto-series.ts';
import { rowOf, type Row, type Target } from './benchmark.ts';

const HOUR_MS = 3_600_000;
const MONTH_HOURS = 730;
const MOST_ABOVE = 10;
const MOST_SWITCHES = 2;
/** Student's t: 5 % of the samples of 6 blocks lie below the mean minus so many standard errors. */
const T_5 = 2.015;

export interface Lived {
  readonly cost: number;
  readonly switches: number;
}

/** Rows of the advisor's benchmark. @param folder of traces; absent: series that are made up alone. */
export function autoRows(folder: string | undefined, quick: boolean, note: (text: string) => void): Row[] {
  const days = quick ? 7 : 21;
  const azure = folder === undefined ? [] : azureSeries(folder, days, quick ? 3 : 12);
  if (azure.length === 0) note('FULCRUM_TRACES names no folder with azure2019-500-*.csv: left out');
  const all = [...madeSeries(days, quick), ...azure].map(costsOf);
  const settings = DEFAULT_ADVISOR.auto;
  const rows: Row[] = [];
  for (const [kind, costs] of Map.groupBy(all, ({ series }) => series.kind)) {
    const metric = `auto, ${kind}: ${costs.length} × ${days} days`;
    const row = (name: string, value: number, unit: string, target?: Target): Row =>
      rowOf('advisor', { name, metric, value, unit, ...(target === undefined ? {} : { target }) });
    const bests = costs.map((one) => bestSchedule(one, settings.switchCost).cost);
    const dwelling = costs.map((one) => dwellingSchedule(one, settings));
    const best = total(bests);
    const autos = costs.map((one) => live(one, settings));
    const over = (cost: number): number => (cost / best - 1) * 100;
    const spent = total(autos.map(({ cost }) => cost));
    const worst = (least: readonly number[]): number =>
      Math.max(...autos.map(({ cost }, i) => (cost / least[i]! - 1) * 100));
    const most = Math.max(...autos.map(({ switches }) => (switches / days) * 7));
    rows.push(
      row('above the best schedule', over(spent), '%', { max: MOST_ABOVE }),
      row('above best with a dwell', (spent / total(dwelling) - 1) * 100, '%'),
      row('switches a week, most', most, '', kind === 'steady' ? { max: MOST_SWITCHES } : undefined),
      row('best static choice', over(sumOf(costs, (one) => bestStatic(one, settings.switchCost))), '%'),
      row('trailing hour', over(sumOf(costs, (one) => trailing(one, settings.switchCost))), '%'),
      row('worst series of auto', worst(bests), '%'),
      row('worst, best with a dwell', worst(dwelling), '%'),
    );
  }
  return rows;
}

/** As a server has it: by the hour, with bands from the blocks of the hour. */
export function live({ hours, executed }: Costs, settings: AutoSettings): Lived {
  let memory: AutoMemory | null = null;
  let mode: Mode = 'function';
  let [cost, switches] = [0, 0];
  for (const [i, hour] of hours.entries()) {
    cost += total(hour[mode]);
    const window = windowOf(hour, mode, i * HOUR_MS, executed[i]!);
    const nowMs = window.toMs;
    const decided = decideMode(memory, window, settings, nowMs);
    memory = decided.memory;
    if (decided.decision.kind !== 'switch') continue;
    memory = switched(memory, window, decided.decision, settings, nowMs);
    mode = decided.decision.to;
    cost += settings.switchCost;
    switches++;
  }
  return { cost, switches };
}

function windowOf(
  hour: Readonly<Record<Mode, readonly number[]>>,
  mode: Mode,
  fromMs: number,
  executed: number,
): AutoWindow {
  const outlook = (of: Mode): AutoOutlook => ({
    perMonth: bandOf(hour[of]),
    p99Ms: null,
    meetsObjective: 1,
    obstacle: null,
  });
  const other = mode === 'function' ? 'service' : 'function';
  return {
    ...{ fromMs, toMs: fromMs + HOUR_MS, mode, executed, currency: 'USD' },
    measured: { perMonth: total(hour[mode]) * MONTH_HOURS, p99Ms: null },
    modes: { function: outlook('function'), service: outlook('service') },
    saving: bandOf(hour[mode].map((cost, i) => cost - hour[other][i]!)),
    objectiveP99Ms: null,
  };
}

/** Of a month, by the blocks of an hour. */
function bandOf(blocks: readonly number[]): Band {
  const mean = total(blocks) / BLOCKS;
  const variance = blocks.reduce((sum, cost) => sum + (cost - mean) ** 2, 0) / (BLOCKS - 1);
  const half = T_5 * Math.sqrt(variance / BLOCKS);
  const month = BLOCKS * MONTH_HOURS;
  return { low: (mean - half) * month, mid: mean * month, high: (mean + half) * month };
}

/** The least that could have been paid, switching at the end of any hour. */
export function bestSchedule({ hours }: Costs, switchCost: number): Lived {
  let best: Record<Mode, Lived> = {
    function: { cost: 0, switches: 0 },
    service: { cost: switchCost, switches: 1 },
  };
  for (const hour of hours) {
    const next = (of: Mode, from: Mode): Lived => {
      const come = best[from].cost + switchCost;
      const [cost, switches] =
        come < best[of].cost ? [come, best[from].switches + 1] : [best[of].cost, best[of].switches];
      return { cost: cost + total(hour[of]), switches };
    };
    best = { function: next('function', 'service'), service: next('service', 'function') };
  }
  return best.function.cost <= best.service.cost ? best.function : best.service;
}

/** As {@link bestSchedule}, but it may not switch within a dwell of the last switch, as `auto` may not for cost. */
export function dwellingSchedule(
  { hours }: Costs,
  { switchCost, dwellMs }: Pick<AutoSettings, 'switchCost' | 'dwellMs'>,
): number {
  const dwell = Math.max(1, Math.ceil(dwellMs / HOUR_MS));
  // By how many hours a mode has been on for, the last place for all who have dwelt.
  const waiting = (): number[] => Array.from({ length: dwell + 1 }, () => Infinity);
  let spent: Record<Mode, number[]> = { function: waiting(), service: waiting() };
  spent.function[dwell] = 0;
  for (const hour of hours) {
    const next = (of: Mode, from: Mode): number[] => {
      const cost = total(hour[of]);
      const ages = waiting();
      // Whoever comes, comes as the hour begins.
      ages[1] = spent[from][dwell]! + switchCost + cost;
      for (const [age, before] of spent[of].entries()) {
        const older = Math.min(dwell, age + 1);
        ages[older] = Math.min(ages[older]!, before + cost);
      }
      return ages;
    };
    spent = { function: next('function', 'service'), service: next('service', 'function') };
  }
  return Math.min(...spent.function, ...spent.service);
}

/** It begins as a function, as `auto` does. */
function bestStatic({ hours }: Costs, switchCost: number): number {
  const all = (mode: Mode): number => hours.reduce((sum, hour) => sum + total(hour[mode]), 0);
  return Math.min(all('function'), all('service') + switchCost);
}

/** The rule that goes by the last hour alone. */
function trailing({ hours }: Costs, switchCost: number): number {
  let mode: Mode = 'function';
  let cost = 0;
  for (const hour of hours) {
    cost += total(hour[mode]);
    const cheaper = total(hour.function) <= total(hour.service) ? 'function' : 'service';
    if (cheaper !== mode) cost += switchCost;
    mode = cheaper;
  }
  return cost;
}

function sumOf(costs: readonly Costs[], of: (one: Costs) => number): number {
  return costs.reduce((sum, one) => sum + of(one), 0);
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

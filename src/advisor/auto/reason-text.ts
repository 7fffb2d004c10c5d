/** What `auto` does, as it is told: in the history, in the log, and by whoever is asked why. */
import { formatDuration } from '../../base/duration.ts';
import type { AutoSettings } from '../../model/advice-facts.ts';
import type { Band } from '../../model/advice.ts';
import type { Mode } from '../../model/app.ts';
import type { AutoMemory } from './auto-memory.ts';
import type { AutoWindow } from './auto-window.ts';
import { longerDwell } from './dwell.ts';
import type { Worse } from './proving.ts';

export function saySaving(memory: AutoMemory, window: AutoWindow): string {
  const { mode, modes, saving, currency } = window;
  const to = mode === 'function' ? 'service' : 'function';
  const cost = (of: Mode): string => money(modes[of].perMonth?.mid ?? 0, currency);
  const share = modes[mode].perMonth === null ? 0 : saving!.low / modes[mode].perMonth.mid;
  return (
    `By its traffic it costs ${cost(mode)} a month as a ${mode} and ${cost(to)} as a ${to}: ${range(saving!, currency)} less, ` +
    `at least ${percent(share)}. As a ${mode} it has cost ${money(memory.excess, currency)} too much since they were even.`
  );
}

export function sayObjective(memory: AutoMemory, { measured, objectiveP99Ms, modes }: AutoWindow): string {
  const as = modes.service.p99Ms;
  const expected = as === null ? '' : ` As a service it would be ${formatDuration(as.mid)}.`;
  return `99 % took up to ${formatDuration(measured.p99Ms!)} where ${formatDuration(objectiveP99Ms!)} are asked, in ${memory.over} windows in a row.${expected}`;
}

export function sayUndo(
  memory: AutoMemory,
  settings: AutoSettings,
  { mode, currency }: AutoWindow,
  worse: Worse,
): string {
  const say = (value: number): string =>
    worse.of === 'cost' ? `${money(value, currency)} a month` : formatDuration(value);
  const what = worse.of === 'cost' ? 'it costs' : '99 % take up to';
  const next = formatDuration(longerDwell(memory.dwellMs, settings));
  const wait = worse.of === 'cost' ? 'No switch for cost' : 'It is not tried again';
  return `As a ${mode} ${what} ${say(worse.measured)}, where ${say(worse.expected)} was expected and it was ${say(worse.before)} as a ${worse.back}. ${wait} within ${next}.`;
}

export function sayBlocked(wish: string, to: Mode, obstacle: string): string {
  return `It cannot be a ${to}: ${obstacle} ${wish}`;
}

export function sayKept({ mode }: AutoWindow): string {
  return `It stays a ${mode}: what that had cost too much is made up for.`;
}

/** What a decision rests on. */
export function saying(
  memory: AutoMemory,
  { mode, modes, measured, saving, executed, objectiveP99Ms }: AutoWindow,
  settings: AutoSettings,
): Readonly<Record<string, number>> {
  const other = modes[mode === 'function' ? 'service' : 'function'];
  const known: Readonly<Record<string, number | null | undefined>> = {
    executed,
    excess: memory.excess,
    switchCost: settings.switchCost,
    presentPerMonth: modes[mode].perMonth?.mid,
    otherPerMonth: other.perMonth?.mid,
    savingLow: saving?.low,
    savingMid: saving?.mid,
    savingHigh: saving?.high,
    measuredPerMonth: measured.perMonth,
    measuredP99Ms: measured.p99Ms,
    presentP99Ms: modes[mode].p99Ms?.mid,
    otherP99Ms: other.p99Ms?.mid,
    objectiveP99Ms,
    windowsOver: memory.over,
  };
  return Object.fromEntries(
    Object.entries(known).flatMap(([name, value]) =>
      typeof value === 'number' && Number.isFinite(value) ? [[name, value]] : [],
    ),
  );
}

function range({ low, high }: Band, currency: string): string {
  const [from, to] = [money(low, currency), money(high, currency)];
  return from === to ? from : `${from} to ${to}`;
}

function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

/** To the cent; what is below one with two digits that matter. */
function money(amount: number, currency: string): string {
  const digits = Math.abs(amount) >= 1 || amount === 0 ? 2 : 1 - Math.floor(Math.log10(Math.abs(amount)));
  const text = amount.toFixed(Math.min(8, Math.max(2, digits)));
  return currency === 'USD' ? `$${text}` : `${currency} ${text}`;
}

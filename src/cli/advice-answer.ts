import { MOST_REFUSED } from '../advisor/advice/choice.ts';
import type { Advice, AdviceVerdict, Band, ModeOutlook, Reason } from '../model/advice.ts';
import type { Mode } from '../model/app.ts';
import { money } from './amounts.ts';

const MODES: readonly Mode[] = ['function', 'service'];

type Decided = Extract<AdviceVerdict, { readonly mode: Mode }>;

/** What to do, in one sentence: the first line of advice. */
export function answerOf(advice: Advice): string {
  const { unit, verdict, evidence } = advice;
  if (verdict.kind === 'not-enough-evidence') {
    const present = advice.present === null ? '' : ` Leave it a ${advice.present} until then.`;
    return `Not enough evidence about ${unit} yet.${present}`;
  }
  if (verdict.kind === 'neither') {
    if (verdict.because === 'impossible') return `Neither mode can have ${unit} as it is.`;
    return MODES.some((mode) => refusesMuch(advice.modes[mode]))
      ? `Neither mode serves ${unit} as it is set.`
      : `Neither mode meets the latency that is asked of ${unit}.`;
  }
  return `${orderOf(advice, verdict)}${becauseOf(advice, verdict, evidence.currency)}`;
}

function orderOf({ unit, present }: Advice, { mode }: Decided): string {
  if (present === mode) return `Keep ${unit} a ${mode}`;
  return present === null ? `Build ${unit} as a ${mode}` : `Make ${unit} a ${mode}`;
}

function becauseOf({ modes }: Advice, { mode, because, saves }: Decided, currency: string): string {
  const other = otherThan(mode);
  switch (because) {
    case 'cheapest': {
      const dearer = modes[other].perMonth?.mid ?? null;
      if (saves === null || dearer === null) return '.';
      return `: it saves ${money(Math.abs(saves.mid), currency)} a month (${percent(saves.mid / dearer)}).`;
    }
    case 'tie': {
      const cost = modes[mode].perMonth;
      return cost === null
        ? ': both cost the same.'
        : `: both modes cost about ${money(cost.mid, currency)} a month.`;
    }
    case 'objective': {
      const isRefused = refusesMuch(modes[other]);
      const why = isRefused ? `, as a ${other} would refuse calls` : ' for its latency';
      const dearer =
        saves === null || saves.mid >= -0.005 ? '' : `${money(-saves.mid, currency)} a month more`;
      if (dearer === '') return `${why}.`;
      return isRefused ? `${why}, though it costs ${dearer}.` : `${why}, though that costs ${dearer}.`;
    }
    case 'only-possible':
      return `: it cannot be a ${other} as it is.`;
  }
}

/** Why, in one sentence: the second line. The price is in the first, so that what makes it comes before what it is. */
export function whyOf({ verdict, reasons, obstacles, modes, evidence }: Advice): string {
  if (verdict.kind === 'not-enough-evidence') return `What is missing: ${verdict.missing.join('; ')}.`;
  if (verdict.kind === 'neither') {
    const refusing = MODES.filter((mode) => refusesMuch(modes[mode])).map((mode) => refusedText(modes[mode]));
    const first =
      verdict.because === 'impossible'
        ? obstacles.find(({ severity }) => severity === 'impossible')?.text
        : refusing.length > 0
          ? refusing.join(' ')
          : reasons.find(({ criterion }) => criterion === 'latency')?.sentence;
    return first ?? '';
  }
  const other = modes[otherThan(verdict.mode)];
  if (verdict.because === 'objective' && refusesMuch(other)) return refusedText(other);
  const main = mainReason(reasons, verdict);
  if (main !== null) return main.sentence;
  const cost = (mode: Mode): string => costText(modes[mode].perMonth, evidence.currency);
  return `It would cost ${cost('function')} a month as a function, and ${cost('service')} as a service.`;
}

/** The reason that is told first. */
export function mainReason(reasons: readonly Reason[], { mode, because }: Decided): Reason | null {
  if (because === 'tie') return reasons[0] ?? null;
  const forIt = reasons.filter(({ favours }) => favours === mode);
  return (
    forIt.find(({ criterion, decisive }) => decisive && criterion !== 'cost') ??
    forIt.find(({ criterion }) => criterion !== 'cost' && criterion !== 'portability') ??
    forIt[0] ??
    null
  );
}

/** As a verdict has it: that is as bad as being too slow. */
export function refusesMuch({ executed, refused }: ModeOutlook): boolean {
  return refused > MOST_REFUSED * (executed + refused);
}

function refusedText({ mode, executed, refused }: ModeOutlook): string {
  return `As a ${mode} ${percent(refused / (executed + refused))} of its calls would be refused: its settings do not let it grow with what comes.`;
}

function costText(band: Band | null, currency: string): string {
  return band === null ? 'nobody knows what' : money(band.mid, currency);
}

export function otherThan(mode: Mode): Mode {
  return mode === 'function' ? 'service' : 'function';
}

/** `0.4 %`, `96 %`; never all where it is not. */
export function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.1) return '<0.1 %';
  if (value > 99.5 && value < 100) return '>99 %';
  return `${value < 1 ? Number(value.toPrecision(1)) : Math.round(value)} %`;
}

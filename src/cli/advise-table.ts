import { formatDuration } from '../base/duration.ts';
import type { Advice, AdviceVerdict } from '../model/advice.ts';
import type { Mode } from '../model/app.ts';
import { mainReason, otherThan, refusesMuch } from './advice-answer.ts';
import { money, roundMoney } from './amounts.ts';
import { formatTable, type Column } from './table.ts';
import { paint, printableLine, wrap } from './terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'COMPONENT', minWidth: 10 },
  { title: 'NOW' },
  { title: 'ADVICE' },
  { title: 'A MONTH', align: 'right' },
  { title: 'SAVES', align: 'right' },
  { title: 'SURE', align: 'right', dropOrder: 1 },
  { title: 'WHY', minWidth: 16 },
];
const BECAUSE: Readonly<Record<Extract<AdviceVerdict, { mode: Mode }>['because'], string>> = {
  cheapest: 'cheaper',
  tie: 'both cost about the same',
  objective: 'the other misses the objective',
  'only-possible': 'the other is not possible',
};

/** A line of advice for each component, those first that are to be switched, by what that saves; no line wider than `width`. */
export function adviseTable(all: readonly Advice[], notes: readonly string[], width: number): string[] {
  const sorted = all.toSorted((a, b) => rank(a) - rank(b) || saving(b) - saving(a));
  return [
    ...wrap(printableLine(answer(all)), width).map((line) => paint('bold', line)),
    ...wrap(printableLine(basis(all)), width).map((line) => paint('dim', line)),
    '',
    ...formatTable(COLUMNS, sorted.map(rowOf), width, (cell, row) =>
      row === -1 ? paint('dim', cell) : cell,
    ),
    '',
    ...[...notes, ...nextSteps(sorted)].flatMap((note) => wrap(printableLine(note), width)),
  ];
}

/** What a switch would save a month; 0 where there is nothing to switch. */
function saving({ verdict }: Advice): number {
  return verdict.kind === 'switch' ? (verdict.saves?.mid ?? 0) : 0;
}

/** Those to be switched, what cannot be as it should, what is, and what cannot be told. */
function rank({ verdict }: Advice): number {
  return ['switch', 'neither', 'keep', 'not-enough-evidence'].indexOf(verdict.kind);
}

function answer(all: readonly Advice[]): string {
  const { currency } = all[0]?.evidence ?? { currency: 'USD' };
  const switched = all.filter(({ verdict }) => verdict.kind === 'switch');
  const told = all.filter(({ verdict }) => verdict.kind !== 'not-enough-evidence');
  if (all.length === 0) return 'There is no component with instances.';
  if (told.length === 0) {
    const missing = sharedLack(all);
    return `Not enough evidence yet for any of them${missing === null ? '.' : `: ${missing}.`}`;
  }
  if (switched.length === 0) {
    return told.length === all.length && all.every(({ verdict }) => verdict.kind === 'keep')
      ? 'Keep all of them as they are.'
      : 'Nothing to switch.';
  }
  const saved = switched.reduce((sum, advice) => sum + saving(advice), 0);
  const modes = (['function', 'service'] as const).flatMap((mode) => {
    const names = switched.filter(({ verdict }) => 'mode' in verdict && verdict.mode === mode);
    return names.length === 0 ? [] : [`${listed(names.map(({ unit }) => unit))} as a ${mode}`];
  });
  const isNew = switched.every(({ present }) => present === null);
  const worth = saved >= 0.005 ? `: that saves ${money(saved, currency)} a month` : '';
  return `${isNew ? 'Run' : 'Switch'} ${isNew ? modes.join(', ') : modes.join(', ').replaceAll(' as a ', ' to a ')}${worth}.`;
}

/** What is missing of all, in the words of the first. */
function sharedLack(all: readonly Advice[]): string | null {
  const lacks = all.map(({ verdict }) => (verdict.kind === 'not-enough-evidence' ? verdict.missing : []));
  const kind = (lack: string): string => lack.split(':')[0]!;
  return (
    lacks[0]?.find((lack) => lacks.every((others) => others.some((other) => kind(other) === kind(lack)))) ??
    null
  );
}

function basis(all: readonly Advice[]): string {
  const [first] = all;
  if (first === undefined) return '';
  const { toMs, books, seed } = first.evidence;
  // Of one that came later it is shorter.
  const fromMs = Math.min(...all.map(({ evidence }) => evidence.fromMs));
  const arrivals = all.reduce((sum, { evidence }) => sum + evidence.arrivals, 0);
  const gapsMs = Math.max(...all.map(({ evidence }) => evidence.gapsMs));
  return [
    `${arrivals.toLocaleString('en-GB')} invocations in ${formatDuration(toMs - fromMs)}`,
    ...(gapsMs > 0 ? [`up to ${formatDuration(gapsMs)} of it may be missing`] : []),
    books.join(', '),
    `seed ${seed}`,
  ].join(' · ');
}

function rowOf(advice: Advice): string[] {
  const { unit, present, verdict, evidence } = advice;
  const mode = 'mode' in verdict ? verdict.mode : null;
  const cost = mode === null ? null : advice.modes[mode].perMonth;
  const saves = verdict.kind === 'switch' ? verdict.saves : null;
  return [
    printableLine(unit),
    present ?? '-',
    verdict.kind === 'keep' ? 'keep' : (mode ?? (verdict.kind === 'neither' ? 'neither' : '?')),
    cost === null ? '-' : roundMoney(cost.mid, evidence.currency),
    saves === null ? '-' : roundMoney(saves.mid, evidence.currency),
    'certainty' in verdict ? certaintyWords(verdict.certainty) : '-',
    printableLine(whyOf(advice)),
  ];
}

function whyOf({ verdict, reasons, obstacles, modes }: Advice): string {
  if (verdict.kind === 'not-enough-evidence')
    return `needs ${verdict.missing.map((one) => one.split(':')[0]!).join('; ')}`;
  if (verdict.kind === 'neither') {
    const [first] = obstacles;
    if (verdict.because === 'impossible') return first?.text ?? 'neither is possible';
    return refusesMuch(modes.function) || refusesMuch(modes.service)
      ? 'calls would be refused'
      : 'neither meets the objective';
  }
  if (verdict.because === 'objective' && refusesMuch(modes[otherThan(verdict.mode)]))
    return 'the other would refuse calls';
  if (verdict.because === 'tie' || verdict.because === 'objective') return BECAUSE[verdict.because];
  if (verdict.because === 'only-possible') {
    const obstacle = obstacles.find(
      ({ mode, severity }) => mode !== verdict.mode && severity === 'impossible',
    );
    return obstacle?.text ?? BECAUSE[verdict.because];
  }
  // Money is told already; what makes it is not.
  const main = mainReason(reasons, verdict);
  return main === null || main.criterion === 'cost' ? BECAUSE.cheapest : main.measured;
}

function nextSteps(sorted: readonly Advice[]): string[] {
  const [first] = sorted;
  if (first === undefined) return [];
  return [
    `\`fulcrum advise ${first.unit}\` gives its reasons; what was counted is in \`fulcrum usage\`.`,
    ...(first.verdict.kind === 'switch' && first.present !== null
      ? [`\`fulcrum mode ${first.unit} ${first.verdict.mode}\` switches it.`]
      : []),
  ];
}

function certaintyWords(certainty: number): string {
  return certainty > 0.99 ? '>99 %' : `${Math.round(certainty * 100)} %`;
}

function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return names.length > 4
    ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
    : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

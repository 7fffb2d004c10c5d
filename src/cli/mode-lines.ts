import type { ModeStep } from '../model/mode-history.ts';
import { formatTable, type Column } from './table.ts';
import { paint, printableLine, wrap } from './terminal.ts';
import { dateTime } from './when.ts';

const COLUMNS: readonly Column[] = [
  { title: 'WHEN' },
  { title: 'COMPONENT', minWidth: 8 },
  { title: 'WHAT' },
  { title: 'BY', minWidth: 6 },
];
const INDENT = '  ';

const COLOURS: Readonly<Record<ModeStep['kind'], Parameters<typeof paint>[0] | null>> = {
  switched: 'green',
  undone: 'yellow',
  'would-switch': 'yellow',
  failed: 'red',
  blocked: 'yellow',
  kept: null,
};

/** The history of modes, the newest last as in a log, each with its reason below it; no line wider than `width`. */
export function modeLines(steps: readonly ModeStep[], width: number): string[] {
  const shown = steps.toReversed();
  const rows = shown.map((step) => [
    dateTime(step.atMs),
    printableLine(step.unit),
    whatOf(step),
    printableLine(step.by),
  ]);
  const [titles, ...lines] = formatTable(COLUMNS, rows, width, (cell, row, column) => {
    if (row === -1) return paint('dim', cell);
    const colour = COLOURS[shown[row]!.kind];
    return column === 2 && colour !== null ? paint(colour, cell) : cell;
  });
  return [
    titles!,
    ...shown.flatMap(({ reason }, i) => [
      lines[i]!,
      ...wrap(printableLine(reason), width - INDENT.length).map((line) => paint('dim', INDENT + line)),
    ]),
  ];
}

function whatOf({ kind, from, to }: ModeStep): string {
  switch (kind) {
    case 'switched':
      return `${from} → ${to}`;
    case 'undone':
      return `back to ${to}`;
    case 'would-switch':
      return `would be a ${to}`;
    case 'failed':
      return `not made a ${to}`;
    case 'blocked':
      return `may be no ${to}`;
    case 'kept':
      return `stays a ${to}`;
  }
}

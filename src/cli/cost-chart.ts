import type { CostCurve } from '../model/advice.ts';
import type { Mode } from '../model/app.ts';
import { axisMoney } from './amounts.ts';
import { between, logScale, type LogScale } from './log-scale.ts';
import { rateWords } from './rate-words.ts';
import { paint } from './terminal.ts';

/** One more than what can be halved and parted in three, so that ticks lie evenly. */
const HEIGHT = 13;
const MOST_WIDTH = 100;
/** With less there is nothing to be seen. */
const LEAST_PLOT = 24;
const MODES: readonly Mode[] = ['function', 'service'];
/** Of each mode's line; of both where they meet. */
const MARK: Readonly<Record<Mode, string>> = { function: 'f', service: 's' };
const BOTH = 'x';
const LEGEND_GAP = '   ';
const COLOUR = { function: 'cyan', service: 'yellow' } as const;

/**
 * Monthly cost over the rate as text, both axes logarithmic, no line wider than `width`: where the traffic is, and where both modes cost the
 * same. To be read without colours. Empty where there is nothing to draw, or no room for it.
 */
export function costChart(curve: CostCurve, width: number): string[] {
  const { points, currency, here, breakEven } = curve;
  const lines = linesOf(curve);
  const costs = logScale(
    [...lines.function, ...lines.service].map(([, cost]) => cost ?? 0),
    HEIGHT / 2 + 1,
  );
  if (costs === null || points.length < 2) return [];
  const labels = costs.ticks.map((cost) => axisMoney(cost, currency));
  const margin = Math.max(...labels.map(lengthOf)) + 2;
  const columns = Math.min(width, MOST_WIDTH) - margin;
  if (columns < LEAST_PLOT) return [];
  const [first, last] = [points[0]!.perSecond, points.at(-1)!.perSecond];
  const rateAt = (column: number): number => first * (last / first) ** (column / (columns - 1));
  const columnOf = (rate: number): number =>
    Math.round((Math.log(rate / first) / Math.log(last / first)) * (columns - 1));
  const inside = (rate: number | null): rate is number => rate !== null && rate >= first && rate <= last;
  const marks = {
    here: inside(here) ? columnOf(here) : null,
    breakEven: inside(breakEven) ? columnOf(breakEven) : null,
  };
  const grid = drawn(lines, costs, columns, rateAt, marks);
  return [
    paint('dim', 'Cost a month over the rate of invocations, both axes logarithmic'),
    ...grid.map((cells, row) => `${labelAt(costs, labels, row).padStart(margin - 2)} ┤${painted(cells)}`),
    `${' '.repeat(margin - 1)}└${axis(columns, marks)}`,
    `${' '.repeat(margin)}${rateLabels([first, rateAt((columns - 1) / 2), last], columns)}`,
    ...legend(curve, lines, marks, width),
  ];
}

type Line = readonly (readonly [rate: number, cost: number | null])[];
interface Marks {
  readonly here: number | null;
  readonly breakEven: number | null;
}

function linesOf({ points }: CostCurve): Readonly<Record<Mode, Line>> {
  const of = (mode: Mode): Line => points.map(({ perSecond, perMonth }) => [perSecond, perMonth[mode]]);
  return { function: of('function'), service: of('service') };
}

/** Rows from the top, each with a cell for each column. */
function drawn(
  lines: Readonly<Record<Mode, Line>>,
  costs: LogScale,
  columns: number,
  rateAt: (column: number) => number,
  marks: Marks,
): string[][] {
  const grid = Array.from({ length: HEIGHT }, () => Array.from({ length: columns }, () => ' '));
  const rowOf = (cost: number): number => HEIGHT - 1 - Math.round(costs.at(cost) * (HEIGHT - 1));
  if (marks.here !== null) for (const row of grid) row[marks.here] = '┊';
  for (const mode of MODES) {
    let before: number | null = null;
    for (let column = 0; column < columns; column++) {
      // Rounding must not lead out of the curve at its ends.
      const rate = column === columns - 1 ? lines[mode].at(-1)![0] : rateAt(column);
      const cost = between(lines[mode], rate);
      const row: number | null = cost === null ? null : rowOf(cost);
      if (row === null) {
        before = null;
        continue;
      }
      // Where it is steep the rows between belong to the line, too.
      const from: number = before === null || before === row ? row : row < before ? before - 1 : before + 1;
      for (let at = from; ; at += Math.sign(row - from)) {
        const cell = grid[at]![column]!;
        const other = MODES.some((one) => one !== mode && MARK[one] === cell);
        grid[at]![column] = other || cell === BOTH ? BOTH : MARK[mode];
        if (at === row) break;
      }
      before = row;
    }
  }
  return grid;
}

function painted(cells: readonly string[]): string {
  const runs: string[] = [];
  for (const cell of cells) {
    if (runs.at(-1)?.[0] === cell) runs.push(runs.pop()! + cell);
    else runs.push(cell);
  }
  const text = runs.map((run) => {
    const mode = MODES.find((one) => MARK[one] === run[0]);
    if (mode !== undefined) return paint(COLOUR[mode], run);
    return run[0] === '┊' ? paint('dim', run) : run;
  });
  return text.join('').trimEnd();
}

function labelAt(costs: LogScale, labels: readonly string[], row: number): string {
  const index = costs.ticks.findIndex(
    (cost) => HEIGHT - 1 - Math.round(costs.at(cost) * (HEIGHT - 1)) === row,
  );
  return index === -1 ? '' : labels[index]!;
}

function axis(columns: number, { here, breakEven }: Marks): string {
  const cells = Array.from({ length: columns }, () => '─');
  if (breakEven !== null) cells[breakEven] = '◆';
  if (here !== null) cells[here] = '▲';
  return cells.join('');
}

function rateLabels(rates: readonly [number, number, number], columns: number): string {
  const [first, middle, last] = rates.map(rateWords) as [string, string, string];
  const half = Math.round((columns - lengthOf(middle)) / 2);
  const left = first.padEnd(half) + middle;
  return left + last.padStart(columns - lengthOf(left));
}

function legend(
  { here, breakEven }: CostCurve,
  lines: Readonly<Record<Mode, Line>>,
  marks: Marks,
  width: number,
): string[] {
  const drawnModes = MODES.filter((mode) => lines[mode].some(([, cost]) => cost !== null && cost > 0));
  const parts = [
    ...drawnModes.map((mode) => `${MARK[mode]} ${mode}`),
    ...(drawnModes.length === 2 ? [`${BOTH} both`] : []),
    ...(marks.here === null ? [] : [`▲ now ${rateWords(here)}`]),
    ...(marks.breakEven === null || breakEven === null ? [] : [`◆ the same at ${rateWords(breakEven)}`]),
  ];
  const whole = parts.join(LEGEND_GAP);
  return lengthOf(whole) <= width
    ? [whole]
    : [parts.slice(0, -2).join(LEGEND_GAP), parts.slice(-2).join(LEGEND_GAP)];
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
